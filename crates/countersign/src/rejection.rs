//! Why a delivery was rejected, for the operator, and what its caller may see of that.

use std::{fmt, sync::Arc, time::Duration};

use crate::{key::KeyId, scheme::Scheme, sender::Sender, verifier::Verifier};

/// Why a delivery was rejected.
///
/// `Display` is one line for the operator: it names the sender, the header, the reason and what was expected. It holds
/// no secret, not the signature that would have been right, and no byte that the caller sent. The caller is told only
/// [`status`](Self::status) and [`headers`](Self::headers), which are the same for every cause of a 401; an answer has no body.
#[derive(Clone)]
pub struct Rejection {
    fault: Fault,
    origin: Origin,
}

/// What rejected it.
#[derive(Clone)]
enum Origin {
    Sender(Arc<Sender>),
    /// No sender's own: there was nothing to tell the sender by.
    Verifier(Verifier),
}

/// What was found to be wrong, by whatever found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: RejectionKind,
    pub(crate) detail: Detail,
}

/// A size or name that says more of a fault: never bytes that the caller sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    /// How long the claimed signature's text is, and how long it should be.
    Characters {
        claimed: usize,
        wanted: usize,
    },
    /// How far the timestamp is from now, and how far it may be.
    Apart {
        apart: Duration,
        most: Duration,
    },
    /// The inactive key that signed.
    Key(KeyId),
    /// What of the request a scheme signs.
    Part(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match &self.detail {
            Detail::None => Ok(()),
            Detail::Characters { claimed, wanted } => {
                write!(f, ": it has {claimed} characters, where {wanted} are expected")
            }
            Detail::Apart { apart, most } => {
                write!(f, ": {} s from now, where {} s are allowed", apart.as_secs(), most.as_secs())
            }
            Detail::Key(key) => write!(f, ": {key}"),
            Detail::Part(part) => write!(f, ": {part}"),
        }
    }
}

impl From<RejectionKind> for Fault {
    fn from(kind: RejectionKind) -> Self {
        Self { kind, detail: Detail::None }
    }
}

impl Rejection {
    pub(crate) fn by_sender(fault: Fault, sender: &Arc<Sender>) -> Self {
        Self::new(fault, Origin::Sender(Arc::clone(sender)))
    }

    pub(crate) fn by_verifier(kind: RejectionKind, verifier: &Verifier) -> Self {
        Self::new(kind.into(), Origin::Verifier(verifier.clone()))
    }

    /// The one place where rejections are made, so that each is told once.
    fn new(fault: Fault, origin: Origin) -> Self {
        let rejection = Self { fault, origin };
        #[cfg(feature = "tracing")]
        tracing::warn!(
            sender = rejection.sender(),
            reason = rejection.kind().as_str(),
            key = rejection.key().map(KeyId::as_str),
            "delivery rejected: {rejection}"
        );
        rejection
    }

    /// The reason.
    pub fn kind(&self) -> RejectionKind {
        self.fault.kind
    }

    /// The sender's name, or the names of all of the verifier's senders where there was nothing to tell them apart by:
    /// `shopify or stripe`.
    pub fn sender(&self) -> &str {
        match &self.origin {
            Origin::Sender(sender) => sender.scheme.name(),
            Origin::Verifier(verifier) => verifier.names(),
        }
    }

    /// The scheme that the delivery was verified under; `None` where there was nothing to tell the sender by.
    pub fn scheme(&self) -> Option<&Scheme> {
        match &self.origin {
            Origin::Sender(sender) => Some(&sender.scheme),
            Origin::Verifier(_) => None,
        }
    }

    fn header_names(&self) -> &str {
        match &self.origin {
            Origin::Sender(sender) => sender.scheme.header_name(),
            Origin::Verifier(verifier) => verifier.signature_headers(),
        }
    }

    /// The inactive key that made the signature: with [`KeyExpired`](RejectionKind::KeyExpired) and
    /// [`KeyNotYetActive`](RejectionKind::KeyNotYetActive), `None` with every other kind.
    pub fn key(&self) -> Option<&KeyId> {
        match &self.fault.detail {
            Detail::Key(key) => Some(key),
            Detail::None | Detail::Characters { .. } | Detail::Apart { .. } | Detail::Part(_) => None,
        }
    }

    /// The HTTP status to answer: 400, 401, 408, 413 or 503.
    pub fn status(&self) -> u16 {
        self.kind().status()
    }

    /// The headers to answer, as pairs of name, in lower case, and value.
    ///
    /// A 401 carries the challenge that [RFC 9110 §15.5.2] asks for. An adapter for HTTP/1 adds
    /// `connection: close`: a part of the body may be unread, and one answer for all tells the causes apart
    /// least.
    ///
    /// [RFC 9110 §15.5.2]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self.status() {
            401 => &[("www-authenticate", "Webhook-Signature")],
            // Bodies come and go within seconds, and senders wait longer than that anyway.
            503 => &[("retry-after", "5")],
            _ => &[],
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", self.sender(), self.header_names())?;
        let Origin::Sender(sender) = &self.origin else { return self.fault.fmt(f) };
        let keys = || sender.key_ids().map(KeyId::as_str).collect::<Vec<_>>().join(", ");
        match self.kind() {
            RejectionKind::SignatureMismatch if !sender.scheme.algorithm.signs() => {
                write!(f, "the token is none of ours; keys: {}", keys())
            }
            RejectionKind::SignatureMismatch if sender.scheme.signs_the_body_alone() => {
                write!(f, "{}; keys: {}", self.fault, keys())
            }
            RejectionKind::SignatureMismatch => {
                let parts: Vec<String> = sender.scheme.content.iter().map(ToString::to_string).collect();
                write!(f, "{}; signed: {}; keys: {}", self.fault, parts.join(", "), keys())
            }
            RejectionKind::NoActiveKey => write!(f, "{}; keys: {}", self.fault, keys()),
            RejectionKind::BodyTooLarge => write!(f, "{} of {} bytes", self.fault, sender.body_limit),
            _ => self.fault.fmt(f),
        }
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.kind())
            .field("reason", &self.to_string())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Rejection {}

macro_rules! rejection_kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:literal, $name:literal, $message:literal;)*) => {
        /// The reason for a rejection: one for each thing that can be wrong, to be counted and alerted on.
        ///
        /// They stand in the order in which they are checked: up to `ContentLengthMalformed` they are found in the
        /// headers, before a byte of the body is read, as is a `Content-Length` over the limit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// The request has the signature headers of more than one of the verifier's senders.
    SenderAmbiguous = 401, "sender_ambiguous", "the signature headers of more than one sender were sent";
    /// The signature header, or the only signature in it, has no characters.
    SignatureEmpty = 401, "signature_empty", "the signature is empty";
    /// The signature header's value is longer than any that the scheme could need.
    SignatureTooLong = 401, "signature_too_long", "the value is longer than 8192 bytes";
    /// The signature header's value holds bytes that are not ASCII.
    SignatureNotAscii = 401, "signature_not_ascii", "the value holds bytes that are not ASCII";
    /// The value does not begin with the scheme's label, such as `sha256=`, or has it twice.
    SignatureLabel = 401, "signature_label", "the label before the signature is missing, wrong or doubled";
    /// More signatures than one header may list.
    TooManySignatures = 401, "too_many_signatures", "the value lists more than 16 items";
    /// A list holds no signature, as far as its items can be told apart.
    SignatureUnlisted = 401, "signature_unlisted", "no item of the list is a signature that this scheme takes";
    /// The signature does not have the length that the algorithm and the encoding give.
    SignatureLength = 401, "signature_length", "the signature has the wrong length";
    /// A character of the signature is outside the encoding's alphabet, or padding is out of place.
    SignatureEncoding = 401, "signature_encoding", "the signature holds a character that is not valid in its encoding";
    /// The signature's last base64 character has bits set that carry no data.
    SignatureNotCanonical = 401, "signature_not_canonical", "the signature is not canonical base64: unused bits are set";
    /// A scheme that signs a timestamp was sent none.
    TimestampMissing = 401, "timestamp_missing", "the timestamp is missing";
    /// More than one timestamp was sent.
    TimestampRepeated = 401, "timestamp_repeated", "more than one timestamp was sent";
    /// The timestamp is empty, too long, not in the scheme's format, or ambiguous beside what stands next to it in the
    /// signed content.
    TimestampMalformed = 401, "timestamp_malformed", "the timestamp is not in the scheme's format";
    /// The timestamp lies further in the past than the tolerance: a replay, or a clock that is wrong.
    TimestampTooOld = 401, "timestamp_too_old", "the timestamp is too old: a replay, a late retry or a wrong clock";
    /// The timestamp lies further in the future than the tolerance.
    TimestampInFuture = 401, "timestamp_in_future", "the timestamp is in the future: a wrong clock or a replay to come";
    /// The scheme signs a part of the request that it does not have, or that the adapter does not supply.
    PartMissing = 401, "part_missing", "a part of the request that is signed is missing";
    /// A header that is signed was not sent.
    SignedHeaderMissing = 401, "signed_header_missing", "a header that is signed is missing";
    /// A header that is signed was sent more than once.
    SignedHeaderRepeated = 401, "signed_header_repeated", "a header that is signed was sent more than once";
    /// A header that is signed is empty, longer than 1024 bytes, or holds other characters than visible ASCII.
    SignedHeaderMalformed = 401, "signed_header_malformed", "a header that is signed is empty, too long or not visible ASCII";
    /// A signed header, path or query holds the text that separates it from what is signed beside it, so that its bytes
    /// could be moved from one to the other.
    PartAmbiguous = 401, "part_ambiguous", "a part of the request that is signed holds the text that should end it";
    /// The query does not hold the body's digest exactly once, in hex.
    BodyDigestMalformed = 401, "body_digest_malformed", "the query does not hold the body's digest exactly once, in hex";
    /// The body is compressed and the scheme does not say what is signed of it.
    ContentEncoded = 401, "content_encoded", "the body has a content-encoding, which this scheme refuses";
    /// Every key has expired or is not active yet.
    NoActiveKey = 401, "no_active_key", "no key is active now: each has expired or is yet to be active";
    /// `Content-Length` is not a number.
    ContentLengthMalformed = 400, "content_length_malformed", "content-length is not a number";
    /// The body, or the `Content-Length` that announces it, is over the limit.
    BodyTooLarge = 413, "body_too_large", "the body is over the limit";
    /// The bodies of all requests together would exceed the budget that was set for them.
    BudgetExhausted = 503, "budget_exhausted", "the bodies that are being received have used up their budget";
    /// The body broke off or could not be read.
    BodyUnreadable = 400, "body_unreadable", "the body broke off or could not be read";
    /// The body did not arrive within the time that was set.
    BodyTimeout = 408, "body_timeout", "the body did not arrive in time";
    /// The body is not an HTML form, where the scheme signs the fields of one.
    FormMalformed = 401, "form_malformed", "the body is not a form whose fields are UTF-8";
    /// No key made this signature over this body.
    SignatureMismatch = 401, "signature_mismatch", "no key made this signature over this body: a wrong or missing key, a body changed on its way, or a forgery";
    /// The signature is right and covers the digest of another body.
    BodyDigestMismatch = 401, "body_digest_mismatch", "the signature covers the digest of another body";
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
