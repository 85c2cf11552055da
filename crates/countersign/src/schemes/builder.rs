//! Builds the scheme of a sender that has no name here.

use std::{borrow::Cow, time::Duration};

use crate::{
    error::BuildError,
    keys::{
        algorithm::{Algorithm, GREATEST_MODULUS_BITS},
        secret::SecretForm,
    },
    schemes::{
        identity_source::{DEFAULT_RETRY_HORIZON, IdentitySource},
        list::{Layout, SignatureList},
        part::Part,
        scheme::{ContentEncoding, LEAST_MODULUS_BITS, Scheme},
    },
    wire::{encoding::Encoding, timestamp::Timestamp},
};

/// Builds the [`Scheme`] of a sender from its signature header, encoding and algorithm, and whatever else it does.
///
/// By default, the header's value is one signature, the signature covers the body alone, and the secret's bytes are the
/// key.
///
/// ```
/// use std::time::Duration;
/// use countersign::{Algorithm, Encoding, Part, Scheme, Timestamp, TimestampFormat, Tolerance};
///
/// // X-Acme-Signature: v1=<hex of HMAC-SHA256 over the timestamp, a dot and the body>
/// // X-Acme-Timestamp: 1719342000
/// let five_minutes = Tolerance::within(Duration::from_secs(300));
/// let scheme = Scheme::builder("acme")
///     .signature_header("X-Acme-Signature")
///     .prefix("v1=")
///     .encoding(Encoding::Hex)
///     .algorithm(Algorithm::HmacSha256)
///     .timestamp(Timestamp::in_header("X-Acme-Timestamp", TimestampFormat::Seconds, five_minutes))
///     .content([Part::Timestamp, Part::literal("."), Part::Body])
///     .build()?;
/// # let _ = scheme;
/// # Ok::<(), countersign::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `build` to get the scheme"]
pub struct SchemeBuilder {
    name: Cow<'static, str>,
    header: Option<Cow<'static, str>>,
    prefix: Option<Cow<'static, str>>,
    list: Option<SignatureList>,
    encoding: Option<Encoding>,
    algorithm: Option<Algorithm>,
    secret_form: SecretForm,
    least_modulus_bits: usize,
    timestamp: Option<Timestamp>,
    content: Vec<Part>,
    body_digest: Option<Cow<'static, str>>,
    content_encoding: ContentEncoding,
    identity: IdentitySource,
    identity_scope: Option<Cow<'static, str>>,
    retry_horizon: Duration,
}

impl Scheme {
    /// Starts the scheme of a sender that is not in [`senders`](crate::senders), under the name that logs and metrics
    /// show.
    pub fn builder(name: impl Into<Cow<'static, str>>) -> SchemeBuilder {
        SchemeBuilder {
            name: name.into(),
            header: None,
            prefix: None,
            list: None,
            encoding: None,
            algorithm: None,
            secret_form: SecretForm::Text,
            least_modulus_bits: LEAST_MODULUS_BITS,
            timestamp: None,
            content: vec![Part::Body],
            body_digest: None,
            content_encoding: ContentEncoding::Wire,
            identity: IdentitySource::Digest,
            identity_scope: None,
            retry_horizon: DEFAULT_RETRY_HORIZON,
        }
    }
}

impl SchemeBuilder {
    /// The header that carries the signature. Required.
    pub fn signature_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// The text before the signature in the header's value, such as `sha256=`. It is accepted in any case and, if it ends
    /// in `=`, with spaces around that.
    pub fn prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = Some(text.into());
        self
    }

    /// Declares that the header lists several signatures; one has to match.
    pub fn list(mut self, list: SignatureList) -> Self {
        self.list = Some(list);
        self
    }

    /// How the signature is written. Required.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// The signature algorithm. Required.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// How the sender's secret becomes the bytes of the key; [`SecretForm::Text`] by default.
    pub fn secret_form(mut self, form: SecretForm) -> Self {
        self.secret_form = form;
        self
    }

    /// Accepts RSA keys from this size on, in bits, for a sender whose keys have less than 2048. At least 1024.
    pub fn legacy_least_modulus_bits(mut self, bits: usize) -> Self {
        self.least_modulus_bits = bits;
        self
    }

    /// The signed timestamp; [`content`](Self::content) places it among the signed parts.
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The signed parts, in order; the body alone by default.
    pub fn content(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.content = parts.into_iter().collect();
        self
    }

    /// The body is signed through its SHA-256, which this query parameter carries in hex. The content then signs the query
    /// instead of the body.
    pub fn body_digest_in_query(mut self, parameter: impl Into<Cow<'static, str>>) -> Self {
        self.body_digest = Some(parameter.into());
        self
    }

    /// What is signed of a compressed body; [`ContentEncoding::Wire`] by default.
    pub fn content_encoding(mut self, encoding: ContentEncoding) -> Self {
        self.content_encoding = encoding;
        self
    }

    /// What tells deliveries apart; [`IdentitySource::Digest`] by default.
    pub fn identity(mut self, source: IdentitySource) -> Self {
        self.identity = source;
        self
    }

    /// The name that keeps identities of different senders apart: see [`Scheme::identity_scope`]. The scheme's name by
    /// default.
    pub fn identity_scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.identity_scope = Some(scope.into());
        self
    }

    /// How long after the first attempt the sender may send a delivery again; 3 days by default, at most 366.
    pub fn retry_horizon(mut self, horizon: Duration) -> Self {
        self.retry_horizon = horizon;
        self
    }

    /// Checks everything and builds the scheme.
    ///
    /// # Errors
    /// [`BuildError::Scheme`], which names the field, for:
    ///
    /// - a required field that is missing;
    /// - a prefix together with a list, or a separator or label that a signature could contain;
    /// - content that does not sign the body exactly once;
    /// - a timestamp that is declared but not signed, or signed but not declared;
    /// - a part whose end nothing marks, so that its bytes could be moved into the next part;
    /// - an identity from anything that the content does not sign, or from a malformed JSON pointer.
    ///
    /// [`BuildError::HeaderName`] for a header name that HTTP does not allow.
    pub fn build(self) -> Result<Scheme, BuildError> {
        let Self { name, header, prefix, list, encoding, algorithm, .. } = self;
        let mistake = |field, mistake: &'static str| BuildError::Scheme {
            scheme: name.clone().into_owned(),
            field,
            mistake: mistake.into(),
        };
        let layout = match (prefix, list) {
            (None, None) => Layout::Bare,
            (Some(prefix), None)
                if prefix.trim_ascii() == &*prefix && prefix.is_ascii() && !prefix.is_empty() =>
            {
                Layout::Prefixed(prefix)
            }
            (Some(_), None) => {
                return Err(mistake("prefix", "it is empty, not ASCII, or surrounded by white space"));
            }
            (None, Some(list)) => Layout::List(list),
            (Some(_), Some(_)) => {
                return Err(mistake("prefix", "a list has labels instead of a prefix: remove it"));
            }
        };
        let header = header.ok_or_else(|| mistake("signature_header", "it is missing"))?;
        let encoding = encoding.ok_or_else(|| mistake("encoding", "it is missing"))?;
        let algorithm = algorithm.ok_or_else(|| mistake("algorithm", "it is missing"))?;
        if algorithm == Algorithm::UnsignedToken {
            return Err(mistake(
                "algorithm",
                "a static token is not a signature: use `Scheme::unsigned_token`",
            ));
        }
        if !(1024..=GREATEST_MODULUS_BITS).contains(&self.least_modulus_bits) {
            return Err(mistake("legacy_least_modulus_bits", "it is not between 1024 and 4096"));
        }
        let scheme = Scheme {
            name,
            header,
            layout,
            encoding,
            algorithm,
            secret_form: self.secret_form,
            least_modulus_bits: self.least_modulus_bits,
            timestamp: self.timestamp,
            content: self.content,
            body_digest: self.body_digest,
            content_encoding: self.content_encoding,
            identity: self.identity,
            identity_scope: self.identity_scope,
            retry_horizon: self.retry_horizon,
            facts: None,
        };
        scheme.clone().checked().map(|_| scheme)
    }
}
