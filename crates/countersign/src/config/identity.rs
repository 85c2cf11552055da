use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::schemes::identity_source::IdentitySource;

/// A source of identities: a word, or a table with one field.
#[derive(Clone, Debug)]
pub(super) struct IdentityConfig(pub(super) IdentitySource);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    header: Option<String>,
    fields: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for IdentityConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdentityVisitor).map(Self)
    }
}

struct IdentityVisitor;

const MISTAKE: &str = "identity: use \"digest\", { header = \"NAME\" } or { fields = [\"/POINTER\"] }";

impl<'de> Visitor<'de> for IdentityVisitor {
    type Value = IdentitySource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"digest\", { header = \"NAME\" } or { fields = [\"/POINTER\"] }")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<IdentitySource, E> {
        if word == "digest" { Ok(IdentitySource::Digest) } else { Err(E::custom(MISTAKE)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<IdentitySource, A::Error> {
        match Table::deserialize(MapAccessDeserializer::new(map))? {
            Table { header: Some(name), fields: None } => Ok(IdentitySource::signed_header(name)),
            Table { header: None, fields: Some(pointers) } => Ok(IdentitySource::fields(pointers)),
            Table { .. } => Err(de::Error::custom(MISTAKE)),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a table: { seconds = 86400 }")]
pub(super) struct DurationConfig {
    seconds: u64,
}

impl DurationConfig {
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
