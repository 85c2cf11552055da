//! Why a delivery was refused, for the operator, and what its caller may see of that.

use std::{fmt, sync::Arc};

use crate::{key::KeyId, scheme::Scheme};

/// Why a delivery was refused.
///
/// `Display` is one line for the operator: it names the sender, the header and the reason, never a secret,
/// never the signature that would have been right and nothing that the caller sent. The caller is told only
/// [`status`](Self::status), [`headers`](Self::headers) and [`body`](Self::body), which are the same for every
/// cause of a 401.
#[derive(Clone, Debug)]
pub struct Rejection {
    kind: RejectionKind,
    scheme: Arc<Scheme>,
    key: Option<KeyId>,
}

impl Rejection {
    /// The one place where rejections are made, so that each is told once.
    pub(crate) fn new(kind: RejectionKind, scheme: &Arc<Scheme>, key: Option<KeyId>) -> Self {
        let rejection = Self {
            kind,
            scheme: Arc::clone(scheme),
            key,
        };
        #[cfg(feature = "tracing")]
        tracing::warn!(
            sender = rejection.scheme.name(),
            reason = kind.as_str(),
            key = rejection.key.as_ref().map(KeyId::as_str),
            "delivery rejected: {rejection}"
        );
        rejection
    }

    /// The reason.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The scheme that the delivery was verified under.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The inactive key that made the signature: with [`KeyExpired`](RejectionKind::KeyExpired) and
    /// [`KeyNotYetActive`](RejectionKind::KeyNotYetActive), `None` with every other kind.
    pub fn key(&self) -> Option<&KeyId> {
        self.key.as_ref()
    }

    /// The HTTP status to answer: 400, 401, 408 or 413.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    /// The headers to answer, with names in lower case.
    ///
    /// A 401 carries the challenge that [RFC 9110 §15.5.2] asks for. An adapter for HTTP/1 adds
    /// `connection: close`: a part of the body may be unread, and one answer for all tells the causes apart
    /// least.
    ///
    /// [RFC 9110 §15.5.2]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        const TEXT: (&str, &str) = ("content-type", "text/plain; charset=utf-8");
        match self.status() {
            401 => &[TEXT, ("www-authenticate", "Webhook-Signature")],
            _ => &[TEXT],
        }
    }

    /// The response body to answer.
    pub fn body(&self) -> &'static str {
        match self.status() {
            400 => "bad request\n",
            408 => "request timeout\n",
            413 => "content too large\n",
            _ => "unauthorized\n",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.scheme.name(),
            self.scheme.header_name(),
            self.kind
        )?;
        match &self.key {
            Some(key) => write!(f, " ({key})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Rejection {}

macro_rules! rejection_kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:literal, $name:literal, $message:literal;)*) => {
        /// The reason for a rejection: one for each thing that can be wrong, to be counted and alerted on.
        ///
        /// They stand in the order in which they are checked. All but the last six are found in the headers,
        /// before a byte of the body is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RejectionKind {
            $($(#[$doc])* $kind,)*
        }

        impl RejectionKind {
            /// Every kind, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The HTTP status to answer.
            pub fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)* }
            }

            /// A name that stays the same between versions, for logs and metrics: `signature_missing`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            fn message(self) -> &'static str {
                match self { $(Self::$kind => $message,)* }
            }
        }
    };
}

rejection_kinds! {
    /// The request has no signature header.
    SignatureMissing = 401, "signature_missing", "the header is missing";
    /// The signature header was sent more than once.
    SignatureRepeated = 401, "signature_repeated", "the header was sent more than once";
    /// The signature header, or a signature in it, has no characters.
    SignatureEmpty = 401, "signature_empty", "the signature is empty";
    /// The signature header's value is longer than any that the scheme could need.
    SignatureTooLong = 401, "signature_too_long", "the value is longer than 8192 bytes";
    /// The signature header's value holds bytes that are not ASCII.
    SignatureNotAscii = 401, "signature_not_ascii", "the value holds bytes that are not ASCII";
    /// The value does not begin with the scheme's label, such as `sha256=`, or has it twice.
    SignatureLabel = 401, "signature_label", "the label before the signature is missing, wrong or doubled";
    /// More signatures than one header may list.
    TooManySignatures = 401, "too_many_signatures", "the value lists more than 16 items";
    /// The signature has not the length that the algorithm and the encoding give.
    SignatureLength = 401, "signature_length", "the signature has the wrong length";
    /// A character of the signature is outside the encoding's alphabet, or padding is out of place.
    SignatureEncoding = 401, "signature_encoding", "the signature has a character that its encoding has not";
    /// The signature's last base64 character has bits set that carry no data.
    SignatureNotCanonical = 401, "signature_not_canonical", "the signature ends in stray bits";
    /// A scheme that signs a timestamp was sent none.
    TimestampMissing = 401, "timestamp_missing", "the value holds no timestamp";
    /// More than one timestamp was sent.
    TimestampRepeated = 401, "timestamp_repeated", "the value holds more than one timestamp";
    /// The timestamp is neither seconds or milliseconds since 1970 nor RFC 3339.
    TimestampMalformed = 401, "timestamp_malformed", "the timestamp is neither a number of digits nor RFC 3339";
    /// The timestamp lies further in the past than the tolerance: a replay, or a clock that is wrong.
    TimestampTooOld = 401, "timestamp_too_old", "the timestamp is older than the tolerance allows";
    /// The timestamp lies further in the future than the tolerance.
    TimestampInFuture = 401, "timestamp_in_future", "the timestamp is further ahead than the tolerance allows";
    /// Every key has expired or is not active yet.
    NoActiveKey = 401, "no_active_key", "no key is active now: each has expired or is not active yet";
    /// `Content-Length` is not a number.
    ContentLengthMalformed = 400, "content_length_malformed", "content-length is not a number";
    /// The body, or the `Content-Length` that announces it, is over the limit.
    BodyTooLarge = 413, "body_too_large", "the body is over the limit";
    /// The body broke off or could not be read.
    BodyUnreadable = 400, "body_unreadable", "the body broke off or could not be read";
    /// The body did not arrive within the time that was set.
    BodyTimeout = 408, "body_timeout", "the body did not arrive in time";
    /// No key made this signature over this body.
    SignatureMismatch = 401, "signature_mismatch", "the signature matches no key: tampered, forged or a key that is not set up";
    /// The signature is right and was made with a key that has expired.
    KeyExpired = 401, "key_expired", "the signature was made with a key that has expired";
    /// The signature is right and was made with a key that is not active yet.
    KeyNotYetActive = 401, "key_not_yet_active", "the signature was made with a key that is not active yet";
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
