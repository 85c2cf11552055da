//! Deliveries that are signed as their sender does, and verified.

use std::time::SystemTime;

use countersign::{Signer, VerifiedDelivery, Verifier};

pub(crate) const NO_HEADERS: [(&str, &str); 0] = [];

/// What the verifier makes of a delivery with this body.
pub(crate) fn signed_and_verified(
    signer: &Signer,
    verifier: &Verifier,
    body: impl Into<Vec<u8>>,
) -> VerifiedDelivery {
    let body = body.into();
    let signed = signer.headers(&body, SystemTime::now()).unwrap();
    let mut verification = verifier.begin_buffered(&signed, SystemTime::now()).unwrap();
    verification.update(body.into()).unwrap();
    verification.finish().unwrap()
}
