use std::time::UNIX_EPOCH;

use countersign::VerifiedDelivery;
use serde::Serialize;

/// What the receiver answers: what a signature vouches for, and the size of the body that the handler saw.
#[derive(Debug, Serialize)]
pub struct Answer {
    sender: String,
    key: String,
    /// Only a header that the scheme signs is read here: the shop's senders sign none, so theirs is `null`.
    id: Option<String>,
    /// In seconds since 1970.
    timestamp: Option<u64>,
    bytes: usize,
}

impl Answer {
    /// The answer to this delivery.
    pub fn new(verified: &VerifiedDelivery) -> Self {
        let since_1970 = verified.timestamp().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            sender: verified.scheme().name().to_owned(),
            key: verified.key().to_string(),
            id: verified.signed_header("X-Acme-Id").map(str::to_owned),
            timestamp: since_1970.map(|time| time.as_secs()),
            bytes: verified.body().len(),
        }
    }
}
