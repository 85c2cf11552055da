//! What a sender puts on the wire, as a value.

use std::borrow::Cow;

use crate::{algorithm::Algorithm, error::BuildError, timestamp::Tolerance};

/// What one sender puts on the wire: the header that carries the signature, its form, the algorithm, and
/// which bytes are signed.
///
/// The named senders are in [`senders`](crate::senders). A scheme pins all of it: nothing in a request
/// chooses an algorithm.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub(crate) name: &'static str,
    pub(crate) header: Cow<'static, str>,
    pub(crate) layout: Layout,
    pub(crate) encoding: Encoding,
    pub(crate) algorithm: Algorithm,
    pub(crate) content: Content,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) facts: Facts,
}

impl Scheme {
    /// Takes the signature from another header: for a proxy that renames it, or a sender whose header is
    /// not confirmed.
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = Cow::Owned(name.into());
        self
    }

    /// Rejects deliveries whose signed timestamp is further than this from now.
    ///
    /// Only for a scheme that signs a timestamp: with another the verifier does not build.
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// The sender's name, as logs and metrics show it: `moduslink`.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The header that carries the signature.
    pub fn header_name(&self) -> &str {
        &self.header
    }

    /// The signature algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Where the facts of this scheme come from and when they were last checked.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    pub(crate) fn empty_secret(&self, key: &str) -> BuildError {
        BuildError::EmptySecret { key: key.to_owned(), scheme: self.name.to_owned() }
    }

    pub(crate) fn does_not_take(&self, key: &str, needs: &'static str) -> BuildError {
        BuildError::KeyDoesNotFit { key: key.to_owned(), scheme: self.name.to_owned(), needs }
    }

    /// The scheme as a verifier keeps it, with its header's name checked and in lower case.
    pub(crate) fn checked(mut self) -> Result<Self, BuildError> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.header.is_empty() || !self.header.bytes().all(is_token) {
            return Err(BuildError::HeaderName { header: self.header.into_owned() });
        }
        if self.tolerance.is_some() && !self.layout.has_timestamp() {
            return Err(BuildError::ToleranceWithoutTimestamp { scheme: self.name.to_owned() });
        }
        self.header = Cow::Owned(self.header.to_ascii_lowercase());
        Ok(self)
    }
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
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// The whole value is the signature.
    Bare,
    /// The signature behind a label and `=`; the label in any case, spaces around the `=` allowed.
    Labelled(&'static str),
    /// Items between separators: one timestamp, which comes first where it has no label, and signatures.
    List { separator: char, timestamp: &'static str, signature: &'static str },
}

impl Layout {
    pub(crate) fn has_timestamp(self) -> bool {
        matches!(self, Self::List { .. })
    }
}

/// How a signature's bytes are written, and so what is accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoding {
    /// Hex, accepted in either case; the sender writes lower case.
    HexLower,
    /// Hex, accepted in either case; the sender writes upper case.
    HexUpper,
    /// Base64 of the standard alphabet with its padding.
    Base64,
    /// Base64 of the standard alphabet, with or without its padding.
    Base64PaddingOptional,
}

/// The signed bytes around the body: each a segment of its own, never a text with placeholders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) before: &'static [Segment],
    pub(crate) after: &'static [Segment],
}

impl Content {
    pub(crate) const BODY: Self = Self { before: &[], after: &[] };

    /// The text that tells the timestamp from what follows it.
    pub(crate) fn after_timestamp(self) -> &'static str {
        let mut segments = self.before.iter().chain(self.after);
        match segments.find(|segment| matches!(segment, Segment::Timestamp)).and(segments.next()) {
            Some(Segment::Literal(text)) => text,
            Some(Segment::Timestamp) | None => "",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Segment {
    /// The timestamp's text, exactly as it was received.
    Timestamp,
    Literal(&'static str),
}

impl Segment {
    pub(crate) fn bytes<'t>(&self, timestamp: &'t str) -> &'t [u8] {
        match self {
            Self::Timestamp => timestamp.as_bytes(),
            Self::Literal(text) => text.as_bytes(),
        }
    }
}
