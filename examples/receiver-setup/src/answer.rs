use countersign::Verified;
use data_encoding::HEXLOWER;
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
    /// The answer to a verified delivery with this body.
    pub fn new(verified: &Verified, body: &[u8]) -> Self {
        Self {
            sender: verified.scheme().name().to_owned(),
            key: verified.key().to_string(),
            bytes: body.len(),
            sha256: HEXLOWER.encode(&Sha256::digest(body)),
        }
    }
}
