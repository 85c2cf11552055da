//! What to do about each reason for a rejection.

use crate::verdicts::kind::RejectionKind as Kind;

pub(crate) fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::TenantUnnamed => {
            "look at where the set-up takes the tenant's name from: a path, a header or the host"
        }
        Kind::TenantUnresolved => "see the error that the lookup logged; the sender comes again",
        Kind::TenantUnknown => "add the tenant, or take its address out of the sender's settings",
        Kind::SignatureMissing => {
            "check that the sender signs and that no proxy drops the header; set the secret at the sender"
        }
        Kind::SignatureRepeated => "find the proxy or the client that sends the signature header twice",
        Kind::SenderAmbiguous => "give each sender an address of its own",
        Kind::SignatureEmpty => "set the secret at the sender: it sends an empty signature without one",
        Kind::SignatureTooLong | Kind::SignatureNotAscii => {
            "compare the header with the sender's documentation: this is no signature of this scheme"
        }
        Kind::SignatureLabel | Kind::SignatureUnlisted => {
            "compare the prefix or labels in the header with the scheme"
        }
        Kind::TooManySignatures => "remove old keys at the sender or in the verifier",
        Kind::SignatureLength | Kind::SignatureEncoding | Kind::SignatureNotCanonical => {
            "compare the encoding and the algorithm of the signature with the scheme; look for a value that was cut off"
        }
        Kind::TimestampMissing => "check that the sender sends the timestamp and that no proxy drops it",
        Kind::TimestampRepeated => "find the proxy or the client that sends the timestamp twice",
        Kind::TimestampMalformed => "compare the timestamp's format with the scheme",
        Kind::TimestampTooOld | Kind::TimestampInFuture => {
            "compare the clocks of receiver and sender; sign again when sending again"
        }
        Kind::PartMissing => "pass the method and the target to the verifier, in a `RequestHead`",
        Kind::SignedHeaderMissing | Kind::SignedHeaderRepeated | Kind::SignedHeaderMalformed => {
            "check that no proxy drops, joins or rewrites the signed header"
        }
        Kind::PartAmbiguous => "sign a value that does not contain the separator",
        Kind::BodyDigestMalformed => {
            "check that no proxy changes the query, which contains the body's digest"
        }
        Kind::ContentEncoded => "turn compression off at the sender or the proxy",
        Kind::NoActiveKey => "add a key that is active now",
        Kind::ContentLengthMalformed => "find the client or the proxy that sends a wrong content-length",
        Kind::BodyTooLarge => "raise the body limit, if deliveries of this size are expected",
        Kind::BudgetExhausted => "raise the body budget, or receive fewer deliveries at once",
        Kind::BodyUnreadable | Kind::BodyTimeout => "check the connection between sender and receiver",
        Kind::FormMalformed => {
            "check that the sender sends a form, and choose the scheme for JSON if it does not"
        }
        Kind::SignatureMismatch => {
            "compare the secret with the sender's, and the body with the bytes that the sender signed"
        }
        Kind::BodyDigestMismatch => {
            "verify the bytes that arrived: something changed the body after it was signed"
        }
        Kind::KeyExpired => "have the sender use the new key, or extend the old one",
        Kind::KeyNotYetActive => "have the sender wait with the new key, or let it begin earlier",
    }
}
