use countersign::VerifiedDelivery;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A receiver's answer: the sender, the id of the key that signed, and the size and digest of the body.
#[derive(Debug, Serialize)]
pub struct Answer {
    sender: String,
    key: String,
    bytes: usize,
    sha256: String,
}

impl Answer {
    /// Answers this delivery.
    pub fn new(verified: &VerifiedDelivery) -> Self {
        Self {
            sender: verified.scheme().name().to_owned(),
            key: verified.key().to_string(),
            bytes: verified.body().len(),
            sha256: base16ct::lower::encode_string(&Sha256::digest(verified.body())),
        }
    }
}
