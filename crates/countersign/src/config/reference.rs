use std::{env, fmt, marker::PhantomData, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{error::BuildError, keys::secret::Secret};

/// Where to find a key.
#[derive(Clone, Debug)]
pub(super) enum Reference {
    Env(String),
    File(PathBuf),
    /// In the configuration itself, labelled as such.
    Inline {
        text: Secret,
        is_secret: bool,
    },
    /// A plain value instead of a reference.
    Bare,
    /// A table with none of the fields, or with several.
    Unclear,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    env: Option<Text>,
    file: Option<Text>,
    inline: Option<Text>,
    insecure_inline: Option<Text>,
}

impl Reference {
    pub(super) fn secret(&self) -> Result<Result<Secret, BuildError>, &'static str> {
        match self {
            Self::Env(variable) => named(variable).map(Secret::from_env),
            Self::File(path) => Ok(Secret::from_file(path)),
            Self::Inline { text, is_secret: true } => Ok(Ok(text.clone())),
            Self::Inline { is_secret: false, .. } | Self::Bare => Err(
                "a secret does not belong in the configuration: use { env = \"VARIABLE\" } or { file = \"PATH\" }, or \
                     { insecure_inline = \"…\" } if it is not secret",
            ),
            Self::Unclear => Err("use { env = \"VARIABLE\" } or { file = \"PATH\" }"),
        }
    }

    #[cfg(feature = "public-key")]
    pub(super) fn public_key(
        &self,
    ) -> Result<Result<crate::keys::public_key::PublicKey, BuildError>, &'static str> {
        use crate::keys::public_key::PublicKey;

        match self {
            Self::Env(variable) => named(variable).map(PublicKey::from_env),
            Self::File(path) => Ok(PublicKey::from_file(path)),
            Self::Inline { text, is_secret: false } => Ok(text.with_text(PublicKey::from_text)),
            Self::Inline { .. } | Self::Bare | Self::Unclear => {
                Err("use { env = \"VARIABLE\" }, { file = \"PATH\" } or { inline = \"…\" }")
            }
        }
    }
}

/// The name of a variable. A secret written here by mistake must not be shown.
fn named(variable: &str) -> Result<&str, &'static str> {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if variable.bytes().all(is_name) || env::var_os(variable).is_some() {
        Ok(variable)
    } else {
        Err(
            "env names a variable that is not set and whose name is not in upper case; the name is not shown because it may be a secret",
        )
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Discreet::<Table>::deserialize(deserializer)? {
            Discreet(Some(table)) => Self::from(table),
            Discreet(None) => Self::Bare,
        })
    }
}

impl From<Table> for Reference {
    fn from(table: Table) -> Self {
        let inline = |Text(text): Text, is_secret| Self::Inline { text: Secret::new(text), is_secret };
        match table {
            Table { env: Some(variable), file: None, inline: None, insecure_inline: None } => {
                Self::Env(variable.0)
            }
            Table { env: None, file: Some(path), inline: None, insecure_inline: None } => {
                Self::File(path.0.into())
            }
            Table { env: None, file: None, inline: Some(text), insecure_inline: None } => inline(text, false),
            Table { env: None, file: None, inline: None, insecure_inline: Some(text) } => inline(text, true),
            Table { .. } => Self::Unclear,
        }
    }
}

/// A string. If the value is anything else, the error does not show it.
#[derive(Clone)]
pub(super) struct Text(pub(super) String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(redacted)")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl TextVisitor {
    fn refuse<E: de::Error>() -> Result<Text, E> {
        Err(E::custom("this is not a string: put it in quotes"))
    }
}

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Text, E> {
        Self::refuse()
    }
}

/// A table. Any other value is dropped and shown in no error, because it is likely a secret.
#[derive(Clone, Debug)]
pub(super) struct Discreet<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Discreet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DiscreetVisitor(PhantomData)).map(Self)
    }
}

struct DiscreetVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for DiscreetVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<T>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
