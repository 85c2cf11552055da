//! The example with a sender of one's own, as its file states it, in both frameworks.

use custom_sender::{Endpoint, endpoints};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use countersign::RejectionKind;

use crate::harness::{Delivery, Outcome, SURFACES, now};

/// Its endpoints, with secrets in the place of the variables that it names.
fn example() -> Vec<Endpoint> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/custom-sender/custom-sender.toml");
    let toml = std::fs::read_to_string(path).unwrap().replace("{ env = ", "{ insecure_inline = ");
    endpoints(&toml).unwrap()
}

/// What Acme sends, computed as its documentation in the file says.
fn acme(secret: &str, body: &str) -> Delivery {
    let seconds = now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let content = format!("evt_1.{seconds}.{body}");
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(content);
    let signature = base16ct::lower::encode_string(&mac.finalize().into_bytes());
    let headers = [
        ("X-Acme-Signature", format!("v1={signature}")),
        ("X-Acme-Timestamp", seconds.to_string()),
        ("X-Acme-Id", "evt_1".to_owned()),
    ];
    Delivery::new(headers.map(|(name, value)| (name.to_owned(), value)), body)
}

#[test]
fn the_sender_of_the_example_is_verified_on_every_surface() {
    let endpoints = example();
    let paths: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.path.as_str()).collect();
    assert_eq!(paths, ["/webhooks/acme", "/webhooks/shop"]);
    let verifier = &endpoints[0].verifier;
    for surface in SURFACES {
        for (secret, key) in [("ACME_SECRET", "2026-q4"), ("ACME_SECRET_OLD", "2026-q3")] {
            let outcome = (surface.deliver)(verifier, &acme(secret, "{}"));
            // The old key expires at the new year.
            let expired = now() >= std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_798_761_600);
            let verified = Outcome::verified(key, b"{}".to_vec());
            let rejected = Outcome::rejected(RejectionKind::KeyExpired);
            assert_eq!(outcome, if key == "2026-q3" && expired { rejected } else { verified });
        }
        let mut other = acme("ACME_SECRET", "{}");
        other.headers[2].1 = b"evt_2".to_vec();
        let outcome = (surface.deliver)(verifier, &other);
        assert_eq!(outcome, Outcome::rejected(RejectionKind::SignatureMismatch), "{}", surface.name);
    }
}
