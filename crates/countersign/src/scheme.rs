//! What a sender puts on the wire, as a value.

mod builder;
mod content;
mod encoding;

use std::borrow::Cow;

pub(crate) use self::content::{Content, Coverage, Values};
pub use self::{
    builder::{SchemeBuilder, SignatureList},
    content::Part,
    encoding::{Encoding, Padding},
};
use crate::{
    algorithm::Algorithm,
    error::BuildError,
    timestamp::{Timestamp, TimestampPlace, Tolerance},
};

/// What one sender puts on the wire: the header that carries the signature, its form, the algorithm, and
/// which bytes are signed.
///
/// The named senders are in [`senders`](crate::senders); [`builder`](Self::builder) states any other. A scheme pins
/// all of it: nothing in a request chooses an algorithm.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub(crate) name: Cow<'static, str>,
    pub(crate) header: Cow<'static, str>,
    pub(crate) layout: Layout,
    pub(crate) encoding: Encoding,
    pub(crate) algorithm: Algorithm,
    pub(crate) secret_form: SecretForm,
    #[cfg_attr(not(feature = "public-key"), expect(dead_code, reason = "without it there are no RSA keys"))]
    pub(crate) least_modulus_bits: usize,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) content: Vec<Part>,
    pub(crate) body_digest: Option<Cow<'static, str>>,
    pub(crate) content_encoding: ContentEncoding,
    pub(crate) facts: Option<Facts>,
}

/// The least RSA modulus that a scheme takes unless it says otherwise, in bits: NIST SP 800-131A.
pub(crate) const LEAST_MODULUS_BITS: usize = 2048;

impl Scheme {
    /// Starts a scheme of this name, which logs and metrics show: for a sender that is not in
    /// [`senders`](crate::senders).
    pub fn builder(name: impl Into<Cow<'static, str>>) -> SchemeBuilder {
        SchemeBuilder::new(name.into())
    }

    /// A sender that signs nothing and sends a fixed token in this header.
    ///
    /// **Weak.** A token proves that the caller knows the token, and nothing of the body, which anyone who has seen one
    /// request can replace. Prefer whatever else the sender offers. The token is compared in constant time, by its hash,
    /// so that its length does not show.
    pub fn unsigned_token(name: impl Into<Cow<'static, str>>, header: impl Into<Cow<'static, str>>) -> Self {
        // No encoding is looked at: a token is taken as it is.
        let plain = Self::plain(name.into(), header.into(), Algorithm::UnsignedToken, Encoding::Hex);
        Self { content: Vec::new(), ..plain }
    }

    /// One signature of the body alone, to be changed where a sender does more.
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
            facts: None,
        }
    }

    /// Takes the signature from another header: for a proxy that renames it, or a sender whose header is
    /// not confirmed.
    pub fn header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.header = name.into();
        self
    }

    /// Rejects deliveries whose signed timestamp is further than this from now, in the place of the scheme's own
    /// tolerance.
    ///
    /// Only for a scheme that signs a timestamp: with another the verifier does not build.
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        match &mut self.timestamp {
            Some(timestamp) => timestamp.tolerance = tolerance,
            // Kept, for the verifier to refuse.
            None => self.timestamp = Some(Timestamp::unsigned(tolerance)),
        }
        self
    }

    /// The sender's name, as logs and metrics show it: `moduslink`.
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

    /// Where the facts of a named sender come from and when they were last checked; `None` for your own scheme.
    pub fn facts(&self) -> Option<Facts> {
        self.facts
    }

    pub(crate) fn signs_the_body_alone(&self) -> bool {
        matches!(*self.content, [] | [Part::Body])
    }

    pub(crate) fn mistake(&self, field: &'static str, mistake: impl Into<Cow<'static, str>>) -> BuildError {
        BuildError::Scheme { scheme: self.name.clone().into_owned(), field, mistake: mistake.into() }
    }

    pub(crate) fn empty_secret(&self, key: &str) -> BuildError {
        BuildError::EmptySecret { key: key.to_owned(), scheme: self.name().to_owned() }
    }

    pub(crate) fn does_not_take(&self, key: &str) -> BuildError {
        BuildError::KeyDoesNotFit {
            key: key.to_owned(),
            scheme: self.name().to_owned(),
            needs: self.algorithm.needs(),
        }
    }

    /// The scheme as a verifier keeps it, with its headers' names checked and in lower case, and its content.
    pub(crate) fn checked(mut self) -> Result<(Self, Content), BuildError> {
        if self.name.is_empty() {
            return Err(self.mistake("name", "it is empty: logs tell senders apart by it"));
        }
        let named = |header: &Cow<'static, str>| {
            header_name(header).ok_or_else(|| BuildError::HeaderName { header: header.clone().into_owned() })
        };
        let header = named(&self.header)?;
        if self.timestamp.as_ref().is_some_and(|timestamp| timestamp.tolerance.is_disguised()) {
            return Err(self.mistake(
                "tolerance",
                "more than 31 days: if any is meant, say that it is dangerously unlimited",
            ));
        }
        if let Some(timestamp) = &mut self.timestamp {
            match &mut timestamp.place {
                TimestampPlace::Unsigned => {
                    return Err(BuildError::ToleranceWithoutTimestamp { scheme: self.name.into_owned() });
                }
                TimestampPlace::Header(name) if name.eq_ignore_ascii_case(&header) => {
                    return Err(self.mistake(
                        "timestamp",
                        "it is in the signature's header: state it as an item of the list",
                    ));
                }
                TimestampPlace::Header(name) => *name = named(name)?.into(),
                TimestampPlace::Listed(label) => {
                    match &self.layout {
                        Layout::List(SignatureList { label: None, .. }) => {
                            return Err(self
                                .mistake("timestamp", "it is an item of a list whose items have no labels"));
                        }
                        Layout::List(list) if list.is_label(label) => {
                            return Err(self.mistake("timestamp", "it has the label of the signatures"));
                        }
                        Layout::List(list) => {
                            if let Some(mistake) = list.label_mistake(label) {
                                return Err(self.mistake("timestamp", mistake));
                            }
                            if timestamp.format.is_split_by(list.separator) {
                                return Err(self
                                    .mistake("timestamp", "the separator of the list can be a part of it"));
                            }
                        }
                        Layout::Bare | Layout::Prefixed(_) => {
                            return Err(self.mistake(
                            "timestamp",
                            "it is an item of a list, and the header has one signature only: state the list",
                        ));
                        }
                    }
                }
            }
        }
        self.header = header.into();
        if let Layout::List(list) = &self.layout
            && let Some(mistake) = list.mistake()
        {
            return Err(self.mistake("list", mistake));
        }
        let content = Content::new(&self)?;
        Ok((self, content))
    }
}

/// The name in lower case, where it is one that HTTP allows.
pub(crate) fn header_name(name: &str) -> Option<String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_token)).then(|| name.to_ascii_lowercase())
}

/// Where the facts of a [`Scheme`] come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The page or code that states them.
    pub source: &'static str,
    /// The day they were last compared with that source, as `YYYY-MM-DD`.
    pub checked: &'static str,
    /// What is not stated there and was inferred. Compare it with a real delivery before you depend on it.
    pub inferred: &'static [&'static str],
}

/// How the header's value carries the signature.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    /// The whole value is the signature.
    Bare,
    /// The signature behind this text, in any case; where it ends in `=`, with spaces around that allowed.
    Prefixed(Cow<'static, str>),
    /// Signatures, and the timestamp where it is in the list, between separators.
    List(SignatureList),
}

/// How the text of a secret gives the bytes of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretForm {
    /// Its bytes are the key, also where it looks like base64 or hex: what most senders do.
    Text,
    /// It is base64 of the key, behind this prefix where it has it: `whsec_`.
    Base64 {
        /// What the sender writes before the base64; it may be left out.
        prefix: Cow<'static, str>,
    },
    /// It is the key in hex.
    Hex,
}

/// What a sender that compresses its bodies signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentEncoding {
    /// The bytes on the wire, whatever `Content-Encoding` says of them.
    Wire,
    /// Something that is not known or not the bytes on the wire: a delivery with a `Content-Encoding` is rejected.
    Refused,
}
