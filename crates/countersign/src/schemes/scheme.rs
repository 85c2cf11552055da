//! What a sender puts on the wire, as a value.

use std::{borrow::Cow, time::Duration};

use crate::{
    error::BuildError,
    keys::{algorithm::Algorithm, ring::KeyRules, secret::SecretForm},
    schemes::{
        identity_source::{DEFAULT_RETRY_HORIZON, IdentitySource},
        list::Layout,
        part::Part,
    },
    wire::{
        encoding::Encoding,
        timestamp::{Timestamp, TimestampPlace, Tolerance},
    },
};

/// What one sender puts on the wire: the signature header, its form, the algorithm, and which bytes are signed.
///
/// [`senders`](crate::senders) has the named senders; [`builder`](Self::builder) describes any other. A scheme fixes all
/// of this: nothing in a request chooses an algorithm.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub(crate) name: Cow<'static, str>,
    pub(crate) header: Cow<'static, str>,
    pub(crate) layout: Layout,
    pub(crate) encoding: Encoding,
    pub(crate) algorithm: Algorithm,
    pub(crate) secret_form: SecretForm,
    pub(crate) least_modulus_bits: usize,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) content: Vec<Part>,
    pub(crate) body_digest: Option<Cow<'static, str>>,
    pub(crate) content_encoding: ContentEncoding,
    pub(crate) identity: IdentitySource,
    /// `None` for the scheme's name.
    pub(crate) identity_scope: Option<Cow<'static, str>>,
    pub(crate) retry_horizon: Duration,
    pub(crate) facts: Option<Facts>,
}

/// The least RSA modulus that a scheme accepts by default, in bits: NIST SP 800-131A.
pub(crate) const LEAST_MODULUS_BITS: usize = 2048;

impl Scheme {
    /// A sender that signs nothing and sends a fixed token in this header.
    ///
    /// **Weak.** A token proves only that the caller knows it: anyone who has seen one request can send any body.
    /// Prefer anything else that the sender offers. The token is compared in constant time and by its hash, so neither
    /// its bytes nor its length show.
    pub fn unsigned_token(name: impl Into<Cow<'static, str>>, header: impl Into<Cow<'static, str>>) -> Self {
        // The encoding does not matter: a token is compared as it is.
        let plain = Self::plain(name.into(), header.into(), Algorithm::UnsignedToken, Encoding::Hex);
        Self { content: Vec::new(), ..plain }
    }

    /// One signature of the body alone: the base for senders that do more.
    pub(crate) fn plain(
        name: Cow<'static, str>,
        header: Cow<'static, str>,
        algorithm: Algorithm,
        encoding: Encoding,
    ) -> Self {
        Self {
            name,
            header,
            layout: Layout::Bare,
            encoding,
            algorithm,
            secret_form: SecretForm::Text,
            least_modulus_bits: LEAST_MODULUS_BITS,
            timestamp: None,
            content: vec![Part::Body],
            body_digest: None,
            content_encoding: ContentEncoding::Wire,
            identity: IdentitySource::Digest,
            identity_scope: None,
            retry_horizon: DEFAULT_RETRY_HORIZON,
            facts: None,
        }
    }

    /// Reads the signature from another header: for a proxy that renames it, or a sender whose header is unconfirmed.
    pub fn header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.header = name.into();
        self
    }

    /// Replaces the scheme's tolerance: deliveries whose signed timestamp is further than this from now are rejected.
    ///
    /// If the scheme signs no timestamp, the verifier does not build.
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        match &mut self.timestamp {
            Some(timestamp) => timestamp.tolerance = tolerance,
            // Kept, so that building the verifier fails.
            None => self.timestamp = Some(Timestamp::unsigned(tolerance)),
        }
        self
    }

    /// Replaces the source of the identities of this sender's deliveries.
    ///
    /// If the scheme does not sign the source, the verifier does not build.
    pub fn identity(mut self, source: IdentitySource) -> Self {
        self.identity = source;
        self
    }

    /// Replaces the name that keeps identities of different senders apart; the scheme's name by default. Schemes for two
    /// signatures of one sender share one, so a delivery has the same identity under both.
    ///
    /// Set it if several senders use one scheme and one store, for example two that both send [Standard
    /// Webhooks](crate::senders::standard_webhooks): otherwise either could send the other's ids. Also set it, with one
    /// address for each topic, if an unsigned header names the topic and two topics can have the same body.
    pub fn identity_scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.identity_scope = Some(scope.into());
        self
    }

    /// Replaces the [retry horizon](Self::retry_horizon). At most 366 days.
    pub fn with_retry_horizon(mut self, horizon: Duration) -> Self {
        self.retry_horizon = horizon;
        self
    }

    /// The sender's name in logs and metrics, such as `moduslink`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header that carries the signature.
    pub fn header_name(&self) -> &str {
        &self.header
    }

    /// The signature algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the sender signs, in this order, with nothing between the parts. Empty for a static token.
    pub fn signed_parts(&self) -> &[Part] {
        &self.content
    }

    /// The parameter of the query that carries the body's SHA-256 in hex, if the sender signs the body that way.
    pub fn body_digest_parameter(&self) -> Option<&str> {
        self.body_digest.as_deref()
    }

    /// How the sender writes a secret.
    pub fn secret_form(&self) -> &SecretForm {
        &self.secret_form
    }

    /// The header's value with placeholders for what differs between deliveries, for documents and tools.
    ///
    /// ```
    /// use countersign::senders;
    ///
    /// assert_eq!(senders::stripe().signature_shape(), "t=<timestamp>,v1=<hex>");
    /// assert_eq!(senders::shopify().signature_shape(), "<base64>");
    /// ```
    pub fn signature_shape(&self) -> String {
        let signature = match (self.algorithm, self.encoding) {
            (Algorithm::UnsignedToken, _) => "<token>",
            (_, Encoding::Hex | Encoding::HexUpper) => "<hex>",
            (_, Encoding::Base64(_)) => "<base64>",
            (_, Encoding::Base64Url(_)) => "<base64url>",
        };
        self.signature_value(&[signature.to_owned()], "<timestamp>")
    }

    /// Where the identities of this sender's deliveries come from.
    pub fn identity_source(&self) -> &IdentitySource {
        &self.identity
    }

    /// How long after the first attempt the sender may send a delivery again. Remember an identity for at least as long; the
    /// [senders](crate::senders) list theirs.
    pub fn retry_horizon(&self) -> Duration {
        self.retry_horizon
    }

    /// Where the facts about a named sender come from and when they were last checked; `None` for your own scheme.
    pub fn facts(&self) -> Option<Facts> {
        self.facts
    }

    /// The value of the signature header, from encoded signatures and the timestamp's text.
    pub(crate) fn signature_value(&self, signatures: &[String], time: &str) -> String {
        let list = match &self.layout {
            Layout::Bare => return signatures.concat(),
            Layout::Prefixed(prefix) => return format!("{prefix}{}", signatures.concat()),
            Layout::List(list) => list,
        };
        let item = |label: &str, text: &str| match &list.label {
            Some((_, assignment)) if !list.bare_items => format!("{label}{assignment}{text}"),
            Some(_) | None => text.to_owned(),
        };
        let label = list.label.as_ref().map_or("", |(label, _)| label);
        let time = match self.timestamp.as_ref().map(|timestamp| &timestamp.place) {
            Some(TimestampPlace::Listed(label)) => Some(item(label, time)),
            Some(TimestampPlace::Header(_) | TimestampPlace::Unsigned) | None => None,
        };
        let items = time.into_iter().chain(signatures.iter().map(|signature| item(label, signature)));
        items.collect::<Vec<_>>().join(&list.separator.to_string())
    }

    pub(crate) fn signs_the_body_alone(&self) -> bool {
        matches!(*self.content, [] | [Part::Body])
    }

    pub(crate) fn mistake(&self, field: &'static str, mistake: impl Into<Cow<'static, str>>) -> BuildError {
        BuildError::Scheme { scheme: self.name.clone().into_owned(), field, mistake: mistake.into() }
    }

    pub(crate) fn key_rules(&self) -> KeyRules<'_> {
        KeyRules {
            scheme: &self.name,
            algorithm: self.algorithm,
            secret_form: &self.secret_form,
            least_modulus_bits: self.least_modulus_bits,
        }
    }
}

/// Where the facts about a named [`Scheme`] come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The page or code that states them.
    pub source: &'static str,
    /// The day on which they were last compared with the source, as `YYYY-MM-DD`.
    pub checked: &'static str,
    /// What the source does not state and we inferred. Compare it with a real delivery before you depend on it.
    pub inferred: &'static [&'static str],
}

/// What a sender that compresses its bodies signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentEncoding {
    /// The bytes on the wire, whatever `Content-Encoding` says.
    Wire,
    /// Something other than the bytes on the wire, or unknown: a delivery with a `Content-Encoding` is rejected.
    Refused,
}
