use std::time::SystemTime;

use countersign::{Secret, Signer, VerifiedDelivery, Verifier, senders};

/// A delivery as its sender sends it: headers and body.
pub type Signed = (Vec<(String, String)>, Vec<u8>);

/// Deliveries of 1 KiB, no two of them alike.
pub fn signed(count: usize, prefix: &str) -> Vec<Signed> {
    let signer = Signer::new(senders::moduslink(), [Secret::new("secret")]).expect("a signer");
    let one = |number: usize| {
        let body = format!("{:<1024}", format!("{prefix} {number}")).into_bytes();
        let headers = signer.headers(&body, SystemTime::now()).expect("headers");
        (headers, body)
    };
    (0..count).map(one).collect()
}

/// The verifier of these deliveries.
pub fn verifier() -> Verifier {
    let secret = Secret::new("secret").dangerously_accept_placeholder();
    Verifier::builder(senders::moduslink()).secret("key", secret).build().expect("a verifier")
}

/// The same, verified.
pub fn deliveries(count: usize, prefix: &str) -> Vec<VerifiedDelivery> {
    let verifier = verifier();
    let one = |(headers, body): Signed| {
        let mut verification = verifier.begin_buffered(&headers[..], SystemTime::now()).expect("a good head");
        verification.update(body.into()).expect("a body within the limit");
        verification.finish().expect("a good signature")
    };
    signed(count, prefix).into_iter().map(one).collect()
}
