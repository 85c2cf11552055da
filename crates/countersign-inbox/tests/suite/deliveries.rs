//! Deliveries that are signed and verified.

use std::time::SystemTime;

use countersign::{Secret, Signer, VerifiedDelivery, Verifier, senders};

pub(crate) const NO_HEADERS: [(&str, &str); 0] = [];

/// A verified delivery of ModusLink with this body.
pub(crate) fn delivery(body: impl Into<Vec<u8>>) -> VerifiedDelivery {
    let body = body.into();
    let signer = Signer::new(senders::moduslink(), [Secret::new("test")]).unwrap();
    let signed = signer.headers(&body, SystemTime::now()).unwrap();
    let verifier = Verifier::builder(senders::moduslink())
        .secret("key-1", Secret::new("test").dangerously_accept_placeholder())
        .build()
        .unwrap();
    let mut verification = verifier.begin_buffered(&signed, SystemTime::now()).unwrap();
    verification.update(body.into()).unwrap();
    verification.finish().unwrap()
}
