use std::time::SystemTime;

use countersign::{Secret, Signer, VerifiedDelivery, Verifier, senders};

/// Verified deliveries of 1 KiB, no two of them alike.
pub fn deliveries(count: usize, prefix: &str) -> Vec<VerifiedDelivery> {
    let signer = Signer::new(senders::moduslink(), [Secret::new("secret")]).expect("a signer");
    let verifier = Verifier::builder(senders::moduslink())
        .secret("key", Secret::new("secret").dangerously_accept_placeholder())
        .build();
    let verifier = verifier.expect("a verifier");
    let one = |number: usize| {
        let body = format!("{:<1024}", format!("{prefix} {number}")).into_bytes();
        let now = SystemTime::now();
        let headers = signer.headers(&body, now).expect("headers");
        let mut verification = verifier.begin_buffered(&headers, now).expect("a good head");
        verification.update(body.into()).expect("a body within the limit");
        verification.finish().expect("a good signature")
    };
    (0..count).map(one).collect()
}
