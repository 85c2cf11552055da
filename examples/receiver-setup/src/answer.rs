use countersign::VerifiedDelivery;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What a receiver answers: who sent the delivery, which key signed it, and the body as the handler saw it.
#[derive(Debug, Serialize)]
pub struct Answer {
    sender: String,
    key: String,
    bytes: usize,
    sha256: String,
}

impl Answer {
    /// The answer to this delivery.
    pub fn new(verified: &VerifiedDelivery) -> Self {
        Self {
            sender: verified.scheme().name().to_owned(),
            key: verified.key().to_string(),
            bytes: verified.body().len(),
            sha256: base16ct::lower::encode_string(&Sha256::digest(verified.body())),
        }
    }
}
