use std::time::UNIX_EPOCH;

use countersign::VerifiedDelivery;
use serde::Serialize;

/// The receiver's answer: the fields that the signature covers, and the size of the body the handler saw.
#[derive(Debug, Serialize)]
pub struct Answer {
    sender: String,
    key: String,
    /// The signed id header. `null` for the shop's senders, which sign no header.
    id: Option<String>,
    /// In seconds since 1970.
    timestamp: Option<u64>,
    bytes: usize,
}

impl Answer {
    /// Answers this delivery.
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
