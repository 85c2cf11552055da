//! The `custom-sender` example, with the endpoints of its own configuration file.

use custom_sender::{Endpoint, endpoints};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use countersign::RejectionKind;

use crate::harness::{Delivery, Outcome, SURFACES, now};

/// The endpoints of the example. Each secret is inline: the name of its environment variable.
fn example() -> Vec<Endpoint> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/custom-sender/custom-sender.toml");
    let toml = std::fs::read_to_string(path).unwrap().replace("{ env = ", "{ insecure_inline = ");
    endpoints(&toml.replace("{ id = ", "{ dangerously_accept_placeholder = true, id = ")).unwrap()
}

/// A delivery from Acme, signed as the configuration file documents.
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
fn the_example_sender_is_verified_on_every_surface() {
    let endpoints = example();
    let paths: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.path.as_str()).collect();
    assert_eq!(paths, ["/webhooks/acme", "/webhooks/shop"]);
    let verifier = &endpoints[0].verifier;
    for surface in SURFACES {
        for (secret, key) in [("ACME_SECRET", "2026-q4"), ("ACME_SECRET_OLD", "2026-q3")] {
            let outcome = (surface.deliver)(verifier, &acme(secret, "{}"));
            // The old key expires on 2027-01-01.
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
