//! The body's way into the signed content.

use sha2::{Digest, Sha256};

use crate::{keys::ring::Running, verdicts::kind::RejectionKind, wire::form};

/// How the signature covers the body, as far as it has arrived.
pub(crate) enum Covered {
    /// Its bytes are hashed as they arrive.
    Bytes,
    /// Its fields are sorted once it is complete; until then it is kept.
    Form(Vec<u8>),
    /// Its SHA-256 is compared with the signed one.
    Digest { claimed: [u8; 32], running: Box<Sha256> },
}

impl Covered {
    pub(crate) fn update(&mut self, bytes: &[u8], signed: &mut dyn Running) {
        match self {
            Self::Bytes => signed.update(bytes),
            Self::Form(body) => body.extend_from_slice(bytes),
            Self::Digest { running, .. } => running.update(bytes),
        }
    }

    /// Adds what only the complete body can. Returns whether the signature, if it is right, covers this body.
    pub(crate) fn finish(self, signed: &mut dyn Running) -> Result<bool, RejectionKind> {
        match self {
            Self::Bytes => Ok(true),
            Self::Form(body) => {
                signed.update(&form::sorted(&body).ok_or(RejectionKind::FormMalformed)?);
                Ok(true)
            }
            // Neither digest is secret: the caller sent both the digest and the body.
            Self::Digest { claimed, running } => Ok(running.finalize().as_slice() == claimed),
        }
    }
}
