use std::{fmt, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{error::BuildError, key::Secret};

/// Where a key is to be found.
#[derive(Clone, Debug)]
pub(super) enum Reference {
    Env(String),
    File(PathBuf),
    /// In the configuration, which says that this is meant.
    Inline {
        text: Secret,
        is_secret: bool,
    },
    /// A plain value in the place of a reference: not kept, since it is a secret as like as not.
    Bare,
    /// None of the fields, or several.
    Unclear,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    env: Option<String>,
    file: Option<PathBuf>,
    inline: Option<String>,
    insecure_inline: Option<String>,
}

impl Reference {
    pub(super) fn secret(&self) -> Result<Result<Secret, BuildError>, &'static str> {
        const USE: &str = "use { env = \"VARIABLE\" } or { file = \"PATH\" }";
        match self {
            Self::Env(variable) => Ok(Secret::from_env(variable)),
            Self::File(path) => Ok(Secret::from_file(path)),
            Self::Inline { text, is_secret: true } => Ok(Ok(text.clone())),
            Self::Inline { is_secret: false, .. } | Self::Bare => {
                const MISTAKE: &str = "a secret does not belong in the configuration: use { env = \"VARIABLE\" } or \
                                       { file = \"PATH\" }, or where it is no secret { insecure_inline = \"…\" }";
                Err(MISTAKE)
            }
            Self::Unclear => Err(USE),
        }
    }

    #[cfg(feature = "public-key")]
    pub(super) fn public_key(&self) -> Result<Result<crate::PublicKey, BuildError>, &'static str> {
        use crate::PublicKey;

        match self {
            Self::Env(variable) => Ok(PublicKey::from_env(variable)),
            Self::File(path) => Ok(PublicKey::from_file(path)),
            Self::Inline { text, is_secret: false } => Ok(text.with_text(PublicKey::from_text)),
            Self::Inline { .. } | Self::Bare | Self::Unclear => {
                Err("use { env = \"VARIABLE\" }, { file = \"PATH\" } or { inline = \"…\" }")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReferenceVisitor)
    }
}

struct ReferenceVisitor;

impl<'de> Visitor<'de> for ReferenceVisitor {
    type Value = Reference;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a key: { env = \"VARIABLE\" } or { file = \"PATH\" }")
    }

    // An error made here could show the value.
    fn visit_str<E: de::Error>(self, _: &str) -> Result<Reference, E> {
        Ok(Reference::Bare)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Reference, E> {
        Ok(Reference::Bare)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Reference, E> {
        Ok(Reference::Bare)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Reference, E> {
        Ok(Reference::Bare)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Reference, A::Error> {
        let inline = |text: String, is_secret| Reference::Inline { text: Secret::new(text), is_secret };
        Ok(match Table::deserialize(MapAccessDeserializer::new(map))? {
            Table { env: Some(variable), file: None, inline: None, insecure_inline: None } => {
                Reference::Env(variable)
            }
            Table { env: None, file: Some(path), inline: None, insecure_inline: None } => {
                Reference::File(path)
            }
            Table { env: None, file: None, inline: Some(text), insecure_inline: None } => inline(text, false),
            Table { env: None, file: None, inline: None, insecure_inline: Some(text) } => inline(text, true),
            Table { .. } => Reference::Unclear,
        })
    }
}
