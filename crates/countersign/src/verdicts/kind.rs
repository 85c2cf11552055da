//! The reasons for a rejection.

use std::fmt;

/// The reason for a rejection: one for each thing that can be wrong, to count and to alert on.
///
/// Kinds are ordered as they are checked. Those up to [`ContentLengthMalformed`](Self::ContentLengthMalformed), and a
/// `Content-Length` over the limit, are found before a byte of the body is read. The tenant is the exception: a delivery
/// to none is read like any other, so that its sender cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The request names no tenant: what should hold the name is missing, repeated, too long or not text.
    TenantUnnamed,
    /// Nothing tells whether the tenant exists: the lookup failed, panicked or took too long.
    TenantUnresolved,
    /// There is no tenant of that name. Such a delivery is verified like any other, with a key that fits nothing.
    TenantUnknown,
    /// The request has no signature header.
    SignatureMissing,
    /// The signature header was sent more than once.
    SignatureRepeated,
    /// The request has the signature headers of more than one of the verifier's senders.
    SenderAmbiguous,
    /// The signature header, or the only signature in it, is empty.
    SignatureEmpty,
    /// The signature header's value is longer than any scheme needs.
    SignatureTooLong,
    /// The signature header's value contains bytes that are not ASCII.
    SignatureNotAscii,
    /// The value does not begin with the scheme's label, such as `sha256=`, or contains it twice.
    SignatureLabel,
    /// The header lists too many signatures.
    TooManySignatures,
    /// The header lists no signature that this scheme recognizes.
    SignatureUnlisted,
    /// The signature does not have the length that the algorithm and the encoding give.
    SignatureLength,
    /// A character of the signature is outside the encoding's alphabet, or padding is out of place.
    SignatureEncoding,
    /// The last base64 character of the signature has bits set that carry no data.
    SignatureNotCanonical,
    /// The scheme signs a timestamp and none was sent.
    TimestampMissing,
    /// More than one timestamp was sent.
    TimestampRepeated,
    /// The timestamp is empty, too long, not in the scheme's format, or ambiguous next to what is signed beside it.
    TimestampMalformed,
    /// The timestamp is older than the tolerance allows: a replay, a late retry, or a wrong clock.
    TimestampTooOld,
    /// The timestamp is further in the future than the tolerance allows.
    TimestampInFuture,
    /// The request lacks a part that the scheme signs, or the adapter does not supply it.
    PartMissing,
    /// A signed header was not sent.
    SignedHeaderMissing,
    /// A signed header was sent more than once.
    SignedHeaderRepeated,
    /// A signed header is empty, longer than 1024 bytes, or not visible ASCII.
    SignedHeaderMalformed,
    /// A signed header, path or query contains the text that separates it from the next part, so that bytes could be moved
    /// from one to the other.
    PartAmbiguous,
    /// The query does not contain the body's digest exactly once, in hex.
    BodyDigestMalformed,
    /// The body has a `Content-Encoding`, which the scheme refuses.
    ContentEncoded,
    /// Every key has expired or is not active yet.
    NoActiveKey,
    /// `Content-Length` is not a number.
    ContentLengthMalformed,
    /// The body, or its `Content-Length`, is over the limit.
    BodyTooLarge,
    /// The bodies of all requests together would exceed their budget.
    BudgetExhausted,
    /// The body broke off or could not be read.
    BodyUnreadable,
    /// The body did not arrive within the time limit.
    BodyTimeout,
    /// The scheme signs the fields of an HTML form and the body is not one.
    FormMalformed,
    /// No key made this signature over this body.
    SignatureMismatch,
    /// The signature is right but covers the digest of another body.
    BodyDigestMismatch,
    /// The signature is right but its key has expired.
    KeyExpired,
    /// The signature is right but its key is not active yet.
    KeyNotYetActive,
}

impl RejectionKind {
    /// Every kind, in the order of the checks.
    pub const ALL: &'static [Self] = &[
        Self::TenantUnnamed,
        Self::TenantUnresolved,
        Self::TenantUnknown,
        Self::SignatureMissing,
        Self::SignatureRepeated,
        Self::SenderAmbiguous,
        Self::SignatureEmpty,
        Self::SignatureTooLong,
        Self::SignatureNotAscii,
        Self::SignatureLabel,
        Self::TooManySignatures,
        Self::SignatureUnlisted,
        Self::SignatureLength,
        Self::SignatureEncoding,
        Self::SignatureNotCanonical,
        Self::TimestampMissing,
        Self::TimestampRepeated,
        Self::TimestampMalformed,
        Self::TimestampTooOld,
        Self::TimestampInFuture,
        Self::PartMissing,
        Self::SignedHeaderMissing,
        Self::SignedHeaderRepeated,
        Self::SignedHeaderMalformed,
        Self::PartAmbiguous,
        Self::BodyDigestMalformed,
        Self::ContentEncoded,
        Self::NoActiveKey,
        Self::ContentLengthMalformed,
        Self::BodyTooLarge,
        Self::BudgetExhausted,
        Self::BodyUnreadable,
        Self::BodyTimeout,
        Self::FormMalformed,
        Self::SignatureMismatch,
        Self::BodyDigestMismatch,
        Self::KeyExpired,
        Self::KeyNotYetActive,
    ];

    /// The HTTP status to answer.
    pub fn status(self) -> u16 {
        self.row().0
    }

    /// A name for logs and metrics that stays the same between versions, such as `signature_missing`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The status, the name and the message.
    #[rustfmt::skip]
    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::TenantUnnamed => (401, "tenant_unnamed", "the request names no tenant"),
            Self::TenantUnresolved => (503, "tenant_unresolved", "the tenant could not be looked up"),
            Self::TenantUnknown => (401, "tenant_unknown", "there is no such tenant"),
            Self::SignatureMissing => (401, "signature_missing", "the header is missing"),
            Self::SignatureRepeated => (401, "signature_repeated", "the header was sent more than once"),
            Self::SenderAmbiguous => (401, "sender_ambiguous", "the signature headers of more than one sender were sent"),
            Self::SignatureEmpty => (401, "signature_empty", "the signature is empty"),
            Self::SignatureTooLong => (401, "signature_too_long", "the value is longer than 8192 bytes"),
            Self::SignatureNotAscii => (401, "signature_not_ascii", "the value contains bytes that are not ASCII"),
            Self::SignatureLabel => (401, "signature_label", "the label before the signature is missing, wrong or doubled"),
            Self::TooManySignatures => (401, "too_many_signatures", "the value lists more than 16 items"),
            Self::SignatureUnlisted => (401, "signature_unlisted", "no item of the list is a signature that this scheme recognizes"),
            Self::SignatureLength => (401, "signature_length", "the signature has the wrong length"),
            Self::SignatureEncoding => (401, "signature_encoding", "the signature contains a character that is not valid in its encoding"),
            Self::SignatureNotCanonical => (401, "signature_not_canonical", "the signature is not canonical base64: unused bits are set"),
            Self::TimestampMissing => (401, "timestamp_missing", "the timestamp is missing"),
            Self::TimestampRepeated => (401, "timestamp_repeated", "more than one timestamp was sent"),
            Self::TimestampMalformed => (401, "timestamp_malformed", "the timestamp is not in the scheme's format"),
            Self::TimestampTooOld => (401, "timestamp_too_old", "the timestamp is too old: a replay, a late retry or a wrong clock"),
            Self::TimestampInFuture => (401, "timestamp_in_future", "the timestamp is in the future: a wrong clock or a prepared replay"),
            Self::PartMissing => (401, "part_missing", "a signed part of the request is missing"),
            Self::SignedHeaderMissing => (401, "signed_header_missing", "a signed header is missing"),
            Self::SignedHeaderRepeated => (401, "signed_header_repeated", "a signed header was sent more than once"),
            Self::SignedHeaderMalformed => (401, "signed_header_malformed", "a signed header is empty, too long or not visible ASCII"),
            Self::PartAmbiguous => (401, "part_ambiguous", "a signed part of the request contains the text that marks its end"),
            Self::BodyDigestMalformed => (401, "body_digest_malformed", "the query does not contain the body's digest exactly once, in hex"),
            Self::ContentEncoded => (401, "content_encoded", "the body has a content-encoding, which this scheme refuses"),
            Self::NoActiveKey => (401, "no_active_key", "no key is active: each has expired or is not active yet"),
            Self::ContentLengthMalformed => (400, "content_length_malformed", "content-length is not a number"),
            Self::BodyTooLarge => (413, "body_too_large", "the body is over the limit"),
            Self::BudgetExhausted => (503, "budget_exhausted", "the bodies being received have used up their budget"),
            Self::BodyUnreadable => (400, "body_unreadable", "the body broke off or could not be read"),
            Self::BodyTimeout => (408, "body_timeout", "the body did not arrive in time"),
            Self::FormMalformed => (401, "form_malformed", "the body is not a form whose fields are UTF-8"),
            Self::SignatureMismatch => (401, "signature_mismatch", "no key made this signature over this body: a wrong or missing key, a body changed in transit, or a forgery"),
            Self::BodyDigestMismatch => (401, "body_digest_mismatch", "the signature covers the digest of another body"),
            Self::KeyExpired => (401, "key_expired", "the signature was made with a key that has expired"),
            Self::KeyNotYetActive => (401, "key_not_yet_active", "the signature was made with a key that is not active yet"),
        }
    }
}

/// What was wrong, in words.
impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_every_kind_once_in_the_order_of_the_checks() {
        let places: Vec<usize> = RejectionKind::ALL.iter().map(|kind| *kind as usize).collect();
        let every: Vec<usize> = (0..=RejectionKind::KeyNotYetActive as usize).collect();
        assert_eq!(places, every);
    }
}
