//! Reads verifiers from a configuration file (feature `serde`).

pub(crate) mod error;
mod identity;
mod instant;
mod reference;

mod scheme;

mod build;

use std::{fmt, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use self::{
    identity::{DurationConfig, IdentityConfig},
    instant::Instant,
    reference::{Discreet, Reference, Text},
};
use crate::schemes::part::Part;

/// The senders and keys of one endpoint, read from TOML, JSON or YAML.
///
/// ```no_run
/// use countersign::Config;
///
/// let config: Config = toml::from_str(r#"
///     [[senders]]
///     sender = "shopify"
///     keys = [{ id = "2026-q4", secret = { env = "SHOPIFY_SECRET" } }]
///
///     [[senders]]
///     scheme = { name = "acme", signature_header = "X-Acme-Signature", encoding = "hex", algorithm = "hmac-sha256" }
///     keys = [{ id = "2026-q4", secret = { env = "ACME_SECRET" } }]
/// "#)?;
/// let verifier = config.verifier()?;
/// # let _ = verifier;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Fields
///
/// | field | value |
/// |---|---|
/// | `senders` | a list of the tables below, at least one |
/// | `on_several` | what to do with a request that has the signature headers of several senders: `"reject"` (the default), or `"take-first"` to verify it as the first of them in `senders` |
///
/// Each of `senders`:
///
/// | field | value |
/// |---|---|
/// | `sender` | the name of a named sender: [`senders::names`](crate::senders::names) |
/// | `url` | if the sender signs it: your address as configured at the sender |
/// | `scheme` | instead of `sender`: a scheme of your own, as below |
/// | `keys` | a list of tables, each with an `id`, either `secret` or `public_key`, and optionally `not_before` and `expires_at` in RFC 3339, and `dangerously_accept_placeholder = true` for a [secret that anyone can know](crate::Secret::dangerously_accept_placeholder) |
/// | `header` | replaces the named sender's signature header: [`Scheme::header`](crate::Scheme::header) |
/// | `tolerance` | replaces the named sender's tolerance: [`Scheme::tolerance`](crate::Scheme::tolerance) |
/// | `identity`, `identity_scope`, `retry_horizon` | replace the named sender's: [`Scheme::identity`](crate::Scheme::identity), [`Scheme::identity_scope`](crate::Scheme::identity_scope), [`Scheme::with_retry_horizon`](crate::Scheme::with_retry_horizon) |
/// | `body_limit` | in bytes; 1048576 by default |
/// | `warn_before_expiry` | `{ seconds = 604800 }`, the default; 0 for never: [`VerifierBuilder::warn_before_expiry`](crate::VerifierBuilder::warn_before_expiry) |
///
/// A `secret` is a reference: `{ env = "VARIABLE" }`, or `{ file = "/run/secrets/acme" }`, which drops one line end at the end
/// of the file. A secret written into the configuration is an error unless it is labelled: `{ insecure_inline = "…" }`. A
/// `public_key` may also be `{ inline = "…" }`.
///
/// A `tolerance` is `{ seconds = 300 }`, `{ past_seconds = 300, future_seconds = 60 }` or `{ dangerously_unlimited = true }`.
///
/// An `identity` is `"digest"`, `{ header = "X-Id" }` for a signed header, or `{ fields = ["/id"] }` with JSON pointers into the
/// body: [`IdentitySource`](crate::IdentitySource). An `identity_scope` is a string. A `retry_horizon` is
/// `{ seconds = 86400 }`.
///
/// A `scheme` has the fields of [`SchemeBuilder`](crate::SchemeBuilder), named like its methods:
///
/// | field | value |
/// |---|---|
/// | `name`, `signature_header` | strings |
/// | `encoding` | `"hex"`, `"hex-upper"`, `"base64"`, `"base64-unpadded"`, `"base64-padding-optional"`, `"base64url"`, `"base64url-unpadded"`, `"base64url-padding-optional"` |
/// | `algorithm` | [`Algorithm::as_str`](crate::Algorithm::as_str); `"unsigned-token"` allows only `name`, `signature_header`, `identity_scope` and `retry_horizon` |
/// | `prefix` | a string: `"sha256="` |
/// | `list` | `{ separator = ",", label = "v1", assignment = "=" }`; give both of the last two, or neither |
/// | `timestamp` | `{ header = "X-Timestamp", format = "seconds", tolerance = … }`, or with `item = "t"` instead of `header`; the format is `"seconds"`, `"milliseconds"`, `"rfc3339"` or `"any"` |
/// | `content` | a list of `"timestamp"`, `"method"`, `"path"`, `"query"`, `"body"`, `"sorted-form"`, `{ literal = "." }`, `{ header = "X-Id" }` and `{ url = "https://…" }` |
/// | `body_digest_in_query` | a string |
/// | `secret_form` | `"text"` (the default), `"base64"`, padded or not, or `"hex"` |
/// | `secret_prefix` | with `secret_form = "base64"`: an optional prefix of the secret, such as `"whsec_"` |
/// | `legacy_least_modulus_bits` | a number |
/// | `content_encoding` | `"wire"` or `"refused"` |
/// | `identity`, `identity_scope`, `retry_horizon` | as above; by default `"digest"`, the `name`, and 3 days |
///
/// Every other field is an error. Syntax errors come from the format's own crate. Deserialize through `serde_path_to_error` to
/// learn where an error is, and print only its path and a short message: the `Display` of the `toml` crate and of most YAML
/// crates quotes the line, which may contain a secret that was written there by mistake.
///
/// ```
/// use countersign::Config;
///
/// fn read(text: &str) -> Result<Config, String> {
///     let document = toml::Deserializer::parse(text).map_err(|error| error.message().to_owned())?;
///     serde_path_to_error::deserialize(document)
///         .map_err(|error| format!("{}: {}", error.path(), error.inner().message()))
/// }
/// let error = read("[[senders]]\nsender = \"github\"\nkeys = 5").unwrap_err();
/// assert_eq!(error, "senders[0].keys: invalid type: integer `5`, expected a sequence");
/// ```
///
/// If a service has several endpoints, give each its own `Config`, for example in a map from path to `Config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a configuration verifies nothing: call `verifier`"]
pub struct Config {
    senders: Vec<Discreet<SenderConfig>>,
    on_several: Option<String>,
}

/// The field `senders` of a [`Config`] by itself, for a configuration that has it among fields of its own.
///
/// ```
/// use countersign::{Config, ConfigSenders};
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Route {
///     path: String,
///     senders: ConfigSenders,
/// }
///
/// let route: Route = toml::from_str(r#"
///     path = "/webhooks/github"
///     senders = [{ sender = "github", keys = [{ id = "2026-q4", secret = { env = "GITHUB_SECRET" } }] }]
/// "#)?;
/// let config = Config::new(route.senders, None);
/// # let _ = (config, route.path);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
#[must_use = "senders verify nothing: make a `Config` of them"]
pub struct ConfigSenders(Vec<Discreet<SenderConfig>>);

impl Config {
    /// A configuration with these fields.
    pub fn new(senders: ConfigSenders, on_several: Option<String>) -> Self {
        Self { senders: senders.0, on_several }
    }

    /// The files that hold its keys, for a watcher that follows them.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let senders = self.senders.iter().filter_map(|sender| sender.0.as_ref());
        let keys = senders.flat_map(|sender| &sender.keys).filter_map(|key| key.0.as_ref());
        let references = keys.flat_map(|key| [&key.secret, &key.public_key]).flatten();
        references.filter_map(|reference| match reference {
            Reference::File(path) => Some(path.as_path()),
            _ => None,
        })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SenderConfig {
    sender: Option<String>,
    /// It may contain a password.
    url: Option<Text>,
    scheme: Option<SchemeConfig>,
    keys: Vec<Discreet<KeyConfig>>,
    header: Option<String>,
    tolerance: Option<ToleranceConfig>,
    identity: Option<IdentityConfig>,
    identity_scope: Option<String>,
    retry_horizon: Option<DurationConfig>,
    body_limit: Option<usize>,
    warn_before_expiry: Option<DurationConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyConfig {
    id: String,
    secret: Option<Reference>,
    public_key: Option<Reference>,
    not_before: Option<Instant>,
    expires_at: Option<Instant>,
    dangerously_accept_placeholder: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a table")]
struct SchemeConfig {
    name: String,
    signature_header: Option<String>,
    prefix: Option<String>,
    list: Option<ListConfig>,
    encoding: Option<String>,
    algorithm: Option<String>,
    secret_form: Option<String>,
    secret_prefix: Option<String>,
    legacy_least_modulus_bits: Option<usize>,
    timestamp: Option<TimestampConfig>,
    content: Option<Vec<PartConfig>>,
    body_digest_in_query: Option<String>,
    content_encoding: Option<String>,
    identity: Option<IdentityConfig>,
    identity_scope: Option<String>,
    retry_horizon: Option<DurationConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a table")]
struct ListConfig {
    separator: char,
    label: Option<String>,
    assignment: Option<char>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a table")]
struct TimestampConfig {
    header: Option<String>,
    item: Option<String>,
    format: String,
    tolerance: ToleranceConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "expected a table: { seconds = 300 }")]
struct ToleranceConfig {
    seconds: Option<u64>,
    past_seconds: Option<u64>,
    future_seconds: Option<u64>,
    dangerously_unlimited: Option<bool>,
}

/// A part of the content: a word, or a table with one field.
#[derive(Clone, Debug)]
struct PartConfig(Part);

impl<'de> Deserialize<'de> for PartConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor).map(Self)
    }
}

struct PartVisitor;

const WORDS: &[(&str, Part)] = &[
    ("timestamp", Part::Timestamp),
    ("method", Part::Method),
    ("path", Part::Path),
    ("query", Part::Query),
    ("body", Part::Body),
    ("sorted-form", Part::SortedForm),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartTable {
    literal: Option<String>,
    header: Option<String>,
    url: Option<String>,
}

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of the content: \"body\", \"timestamp\", { literal = \".\" } or another")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Part, E> {
        let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, part)| part.clone());
        known.ok_or_else(|| {
            E::custom(format_args!(
                "content: unknown part {word:?}: use one of {}, or {{ literal = {word:?} }} for a fixed text",
                WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
            ))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part, A::Error> {
        match PartTable::deserialize(MapAccessDeserializer::new(map))? {
            PartTable { literal: Some(text), header: None, url: None } => Ok(Part::Literal(text.into())),
            PartTable { literal: None, header: Some(name), url: None } => Ok(Part::Header(name.into())),
            PartTable { literal: None, header: None, url: Some(url) } => Ok(Part::Url(url.into())),
            PartTable { .. } => {
                Err(de::Error::custom("content: give a part exactly one of literal, header and url"))
            }
        }
    }
}
