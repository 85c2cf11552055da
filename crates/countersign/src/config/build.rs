use std::{
    error, fmt,
    time::{Duration, SystemTime},
};

use super::{
    Config, Discreet, Instant, KeyConfig, ListConfig, PartConfig, SchemeConfig, SenderConfig,
    TimestampConfig, ToleranceConfig,
};
use crate::{
    error::BuildError,
    keys::{algorithm::Algorithm, key::Key, secret::SecretForm},
    schemes::{
        list::SignatureList,
        scheme::{ContentEncoding, Scheme},
        senders,
    },
    verifying::verifier::Verifier,
    wire::{
        encoding::{Encoding, Padding},
        timestamp::{Timestamp, TimestampFormat, Tolerance, rfc_3339},
    },
};

/// A mistake in a [`Config`], with the path of the field.
///
/// `Display` writes both: `senders[0].keys[1].secret: environment variable ACME_SECRET is not set: …`. It contains no key
/// material.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    path: String,
    mistake: Mistake,
}

#[derive(Clone, PartialEq, Eq)]
enum Mistake {
    Build(BuildError),
    Text(String),
}

impl ConfigError {
    /// The path of the field, such as `senders[0].keys[1].secret`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The underlying error, if a key or scheme did not build; `None` if a field itself is missing or malformed.
    pub fn build_error(&self) -> Option<&BuildError> {
        match &self.mistake {
            Mistake::Build(error) => Some(error),
            Mistake::Text(_) => None,
        }
    }

    fn new(field: &str, text: impl Into<String>) -> Self {
        Self { path: field.to_owned(), mistake: Mistake::Text(text.into()) }
    }

    fn build(field: &str, error: BuildError) -> Self {
        Self { path: field.to_owned(), mistake: Mistake::Build(error) }
    }

    /// Prepends an outer field to the path.
    fn within(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.mistake {
            Mistake::Build(error) => error.fmt(f),
            Mistake::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for ConfigError {}

impl Config {
    /// Reads the keys from their variables and files, and builds the endpoint's verifier.
    ///
    /// # Errors
    /// A [`ConfigError`] for an unknown word, fields that exclude or require each other, a missing variable or file, and every
    /// [`BuildError`] of [`Verifier`] and [`Scheme`].
    pub fn verifier(&self) -> Result<Verifier, ConfigError> {
        let verifiers = (0_usize..).zip(&self.senders).map(|(place, sender)| {
            let verifier = table(sender).and_then(SenderConfig::verifier);
            verifier.map_err(|error| error.within(&format!("senders[{place}]")))
        });
        let verifiers: Vec<Verifier> = verifiers.collect::<Result<_, _>>()?;
        let on_several = self.on_several.as_deref().unwrap_or("reject");
        let make =
            one_of("on_several", on_several, &[("reject", Ordered::No), ("take-first", Ordered::Yes)])?;
        match make {
            Ordered::No => Verifier::any_of(verifiers),
            Ordered::Yes => Verifier::first_of(verifiers),
        }
        .map_err(|error| ConfigError::build("senders", error))
    }
}

fn table<T>(value: &Discreet<T>) -> Result<&T, ConfigError> {
    value.0.as_ref().ok_or_else(|| ConfigError::new("", "this is not a table"))
}

#[derive(Clone, Copy)]
enum Ordered {
    Yes,
    No,
}

/// The meaning of a word, from the list of all allowed words.
fn one_of<T: Clone>(field: &str, word: &str, words: &[(&str, T)]) -> Result<T, ConfigError> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        ConfigError::new(field, format!("unknown value {word:?}: use one of {}", known.join(", ")))
    })
}

impl SenderConfig {
    fn verifier(&self) -> Result<Verifier, ConfigError> {
        let mut scheme = match (&self.sender, &self.scheme) {
            (Some(name), None) => senders::named(name, self.url.as_ref().map(|url| url.0.as_str())).map_err(
                |error| match error {
                    BuildError::Scheme { field, mistake, .. } => ConfigError::new(field, mistake),
                    other => ConfigError::build("sender", other),
                },
            )?,
            (None, Some(_)) if self.url.is_some() => {
                return Err(ConfigError::new(
                    "url",
                    "a scheme states its address in `content`, as { url = \"…\" }",
                ));
            }
            (None, Some(scheme)) => scheme.scheme().map_err(|error| error.within("scheme"))?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(ConfigError::new("sender", "give either `sender` or `scheme`, and not both"));
            }
        };
        if self.scheme.is_some() && (self.header.is_some() || self.tolerance.is_some()) {
            let field = if self.header.is_some() { "header" } else { "tolerance" };
            return Err(ConfigError::new(
                field,
                "it applies only to a named sender: state it inside `scheme`",
            ));
        }
        if let Some(header) = &self.header {
            scheme = scheme.header(header.clone());
        }
        if let Some(tolerance) = &self.tolerance {
            scheme = scheme.tolerance(tolerance.tolerance().map_err(|error| error.within("tolerance"))?);
        }
        let mut builder = Verifier::builder(scheme);
        if let Some(bytes) = self.body_limit {
            builder = builder.body_limit(bytes);
        }
        for (place, key) in (0_usize..).zip(&self.keys) {
            let key = table(key).and_then(KeyConfig::key);
            builder = builder.key(key.map_err(|error| error.within(&format!("keys[{place}]")))?);
        }
        builder.build().map_err(|error| ConfigError::build(&self.field_of(&error), error))
    }

    /// The field that caused a build error.
    fn field_of(&self, error: &BuildError) -> String {
        let key = match error {
            BuildError::HeaderName { .. } => return "header".to_owned(),
            BuildError::ToleranceWithoutTimestamp { .. } => return "tolerance".to_owned(),
            BuildError::ZeroBodyLimit => return "body_limit".to_owned(),
            BuildError::Scheme { .. } => return "scheme".to_owned(),
            BuildError::EmptySecret { key, .. }
            | BuildError::SecretForm { key, .. }
            | BuildError::KeyDoesNotFit { key, .. }
            | BuildError::KeyNeverActive { key, .. }
            | BuildError::ModulusSize { key, .. } => key,
            _ => return "keys".to_owned(),
        };
        let place = self.keys.iter().position(|known| known.0.as_ref().is_some_and(|known| known.id == *key));
        place.map_or_else(|| "keys".to_owned(), |place| format!("keys[{place}]"))
    }
}

impl KeyConfig {
    fn key(&self) -> Result<Key, ConfigError> {
        let mut key = match (&self.secret, &self.public_key) {
            (Some(secret), None) => {
                let secret = secret.secret().map_err(|text| ConfigError::new("secret", text))?;
                Key::secret(&self.id, secret.map_err(|error| ConfigError::build("secret", error))?)
            }
            #[cfg(feature = "public-key")]
            (None, Some(key)) => {
                let key = key.public_key().map_err(|text| ConfigError::new("public_key", text))?;
                Key::public(&self.id, key.map_err(|error| ConfigError::build("public_key", error))?)
            }
            #[cfg(not(feature = "public-key"))]
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "public_key",
                    "it needs the feature `public-key` of the crate countersign",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    "public_key",
                    "a key has a secret or a public key: remove one of them",
                ));
            }
            (None, None) => {
                return Err(ConfigError::new(
                    "secret",
                    "it is missing: give the key a secret or a public_key",
                ));
            }
        };
        if let Some(text) = &self.not_before {
            key = key.not_before(instant("not_before", text)?);
        }
        if let Some(text) = &self.expires_at {
            key = key.expires_at(instant("expires_at", text)?);
        }
        Ok(key)
    }
}

fn instant(field: &str, Instant(text): &Instant) -> Result<SystemTime, ConfigError> {
    rfc_3339(text).ok_or_else(|| {
        ConfigError::new(field, "this is not an RFC 3339 instant: write \"2027-01-31T00:00:00Z\"")
    })
}

impl SchemeConfig {
    fn scheme(&self) -> Result<Scheme, ConfigError> {
        let algorithm = match &self.algorithm {
            Some(word) => {
                let all: Vec<_> = Algorithm::ALL.iter().map(|known| (known.as_str(), *known)).collect();
                Some(one_of("algorithm", word, &all)?)
            }
            None => None,
        };
        if algorithm == Some(Algorithm::UnsignedToken) {
            return self.unsigned_token();
        }
        let mut builder = Scheme::builder(self.name.clone());
        if let Some(name) = &self.signature_header {
            builder = builder.signature_header(name.clone());
        }
        if let Some(prefix) = &self.prefix {
            builder = builder.prefix(prefix.clone());
        }
        if let Some(list) = &self.list {
            builder = builder.list(list.list()?);
        }
        if let Some(word) = &self.encoding {
            builder = builder.encoding(one_of("encoding", word, ENCODINGS)?);
        }
        if let Some(algorithm) = algorithm {
            builder = builder.algorithm(algorithm);
        }
        if let Some(form) = self.secret_form()? {
            builder = builder.secret_form(form);
        }
        if let Some(bits) = self.legacy_least_modulus_bits {
            builder = builder.legacy_least_modulus_bits(bits);
        }
        if let Some(timestamp) = &self.timestamp {
            builder = builder.timestamp(timestamp.timestamp().map_err(|error| error.within("timestamp"))?);
        }
        if let Some(parts) = &self.content {
            builder = builder.content(parts.iter().map(|PartConfig(part)| part.clone()));
        }
        if let Some(parameter) = &self.body_digest_in_query {
            builder = builder.body_digest_in_query(parameter.clone());
        }
        if let Some(word) = &self.content_encoding {
            let words = [("wire", ContentEncoding::Wire), ("refused", ContentEncoding::Refused)];
            builder = builder.content_encoding(one_of("content_encoding", word, &words)?);
        }
        builder.build().map_err(|error| match error {
            BuildError::Scheme { field, mistake, .. } => ConfigError::new(field, mistake),
            error @ BuildError::HeaderName { .. } => ConfigError::build("signature_header", error),
            other => ConfigError::build("", other),
        })
    }

    fn unsigned_token(&self) -> Result<Scheme, ConfigError> {
        match self {
            Self {
                name,
                signature_header: Some(header),
                prefix: None,
                list: None,
                encoding: None,
                algorithm: _,
                secret_form: None,
                secret_prefix: None,
                legacy_least_modulus_bits: None,
                timestamp: None,
                content: None,
                body_digest_in_query: None,
                content_encoding: None,
            } => Ok(Scheme::unsigned_token(name.clone(), header.clone())),
            _ => Err(ConfigError::new(
                "algorithm",
                "a static token allows no other field than `name` and `signature_header`",
            )),
        }
    }

    fn secret_form(&self) -> Result<Option<SecretForm>, ConfigError> {
        let prefix = self.secret_prefix.clone();
        let base64 = SecretForm::Base64 { prefix: prefix.clone().unwrap_or_default().into() };
        let words = [("text", SecretForm::Text), ("base64", base64), ("hex", SecretForm::Hex)];
        let form = self.secret_form.as_deref().map(|word| one_of("secret_form", word, &words)).transpose()?;
        match (&form, prefix) {
            (Some(SecretForm::Base64 { .. }), _) | (_, None) => Ok(form),
            (_, Some(_)) => Err(ConfigError::new("secret_prefix", "it requires secret_form = \"base64\"")),
        }
    }
}

const ENCODINGS: &[(&str, Encoding)] = &[
    ("hex", Encoding::Hex),
    ("hex-upper", Encoding::HexUpper),
    ("base64", Encoding::Base64(Padding::Required)),
    ("base64-unpadded", Encoding::Base64(Padding::Absent)),
    ("base64-padding-optional", Encoding::Base64(Padding::Optional)),
    ("base64url", Encoding::Base64Url(Padding::Required)),
    ("base64url-unpadded", Encoding::Base64Url(Padding::Absent)),
    ("base64url-padding-optional", Encoding::Base64Url(Padding::Optional)),
];

impl ListConfig {
    fn list(&self) -> Result<SignatureList, ConfigError> {
        let list = SignatureList::separated_by(self.separator);
        match (&self.label, self.assignment) {
            (Some(label), Some(assignment)) => Ok(list.labelled(label.clone(), assignment)),
            (None, None) => Ok(list),
            (Some(_), None) | (None, Some(_)) => {
                Err(ConfigError::new("list", "give both label and assignment, or neither"))
            }
        }
    }
}

impl TimestampConfig {
    fn timestamp(&self) -> Result<Timestamp, ConfigError> {
        let words = [
            ("seconds", TimestampFormat::Seconds),
            ("milliseconds", TimestampFormat::Milliseconds),
            ("rfc3339", TimestampFormat::Rfc3339),
            ("any", TimestampFormat::Any),
        ];
        let format = one_of("format", &self.format, &words)?;
        let tolerance = self.tolerance.tolerance().map_err(|error| error.within("tolerance"))?;
        match (&self.header, &self.item) {
            (Some(name), None) => Ok(Timestamp::in_header(name.clone(), format, tolerance)),
            (None, Some(label)) => Ok(Timestamp::in_list(label.clone(), format, tolerance)),
            (Some(_), Some(_)) => {
                Err(ConfigError::new("item", "a timestamp has a header or an item: remove one of them"))
            }
            (None, None) => {
                Err(ConfigError::new("header", "it is missing: give the timestamp a header or an item"))
            }
        }
    }
}

impl ToleranceConfig {
    fn tolerance(&self) -> Result<Tolerance, ConfigError> {
        let seconds = Duration::from_secs;
        match *self {
            Self {
                seconds: Some(both),
                past_seconds: None,
                future_seconds: None,
                dangerously_unlimited: None,
            } => Ok(Tolerance::within(seconds(both))),
            Self {
                seconds: None,
                past_seconds: Some(past),
                future_seconds: Some(future),
                dangerously_unlimited: None,
            } => Ok(Tolerance::new(seconds(past), seconds(future))),
            Self {
                seconds: None,
                past_seconds: None,
                future_seconds: None,
                dangerously_unlimited: Some(true),
            } => Ok(Tolerance::dangerously_unlimited()),
            Self { .. } => Err(ConfigError::new(
                "",
                "give either seconds, or past_seconds and future_seconds, or dangerously_unlimited = true",
            )),
        }
    }
}
