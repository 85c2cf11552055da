//! Deliveries of one sender.

use countersign::{Secret, Signer, VerifiedDelivery, Verifier, senders};

use crate::signing::signed_and_verified;

/// A verified delivery of ModusLink with this body.
pub(crate) fn delivery(body: impl Into<Vec<u8>>) -> VerifiedDelivery {
    let signer = Signer::new(senders::moduslink(), [Secret::new("test")]).unwrap();
    let verifier = Verifier::builder(senders::moduslink())
        .secret("key-1", Secret::new("test").dangerously_accept_placeholder())
        .build()
        .unwrap();
    signed_and_verified(&signer, &verifier, body)
}
