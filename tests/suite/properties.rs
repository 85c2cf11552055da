//! Properties that hold for every input.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use countersign::{PublicKey, Scheme, Secret, Tolerance, Verifier, senders};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, now, vectors_folder, verifier};

fn hmac_scheme() -> impl Strategy<Value = fn() -> Scheme> {
    select(vec![
        senders::moduslink as fn() -> Scheme,
        senders::ewarehousing,
        senders::extend,
        senders::modern_dropship,
        || senders::modern_dropship().tolerance(Tolerance::within(Duration::from_secs(300))),
    ])
}

fn fluent() -> Verifier {
    let pem = std::fs::read_to_string(vectors_folder().join("keys/rsa-1024-public.pem")).unwrap();
    let key = PublicKey::from_pem(&pem).unwrap();
    Verifier::builder(senders::fluent()).public_key("k", key).build().unwrap()
}

/// Header values from noise to nearly valid: bytes that HTTP allows, mixed with tokens that the parsers look for.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        vec(prop_oneof![Just(9_u8), 32..=126_u8, 128..=255_u8], 0..80),
        "[0-9a-fA-F]{0,70}".prop_map(String::into_bytes),
        "[A-Za-z0-9+/_-]{40,46}={0,2}".prop_map(String::into_bytes),
        select(vec!["sha256=", "t=", "v1=", "v0=", ",", "=", "==", " ", "1719342000", "+f", "é", "\t"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    vec(fragment, 0..8).prop_map(|fragments| fragments.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_signed_body_verifies_on_every_surface_however_it_is_chunked(
        scheme in hmac_scheme(),
        secret in vec(any::<u8>(), 1..100).prop_filter("blanks are no secret", |bytes| bytes.iter().any(|&byte| byte > b' ')),
        chunks in vec(vec(any::<u8>(), 0..200), 0..6),
    ) {
        let body = chunks.concat();
        let signer = countersign::Signer::new(scheme(), [Secret::new(secret.clone())]).unwrap();
        let verifier = Verifier::builder(scheme()).secret("k", Secret::new(secret).dangerously_accept_placeholder()).build().unwrap();
        let mut delivery = Delivery::new(signer.headers(&body, now()).unwrap(), body.clone());
        delivery.chunks = chunks.into_iter().map(Bytes::from).collect();
        for surface in SURFACES {
            prop_assert_eq!((surface.deliver)(&verifier, &delivery), Outcome::verified("k", body.clone()));
        }
    }

    #[test]
    fn another_body_or_another_secret_never_verifies(
        scheme in hmac_scheme(),
        body in vec(any::<u8>(), 0..200),
        other in vec(any::<u8>(), 0..200),
    ) {
        prop_assume!(body != other);
        let sent = hmac_delivery(scheme(), "secret", body);
        for surface in SURFACES {
            let outcome = (surface.deliver)(&verifier(scheme(), "secret"), &sent.with_body(other.clone()));
            prop_assert_eq!(outcome, Outcome::rejected(countersign::RejectionKind::SignatureMismatch));
            let outcome = (surface.deliver)(&verifier(scheme(), "another"), &sent);
            prop_assert_eq!(outcome, Outcome::rejected(countersign::RejectionKind::SignatureMismatch));
        }
    }

    #[test]
    fn any_header_value_is_rejected_alike_on_every_surface(
        scheme in hmac_scheme(),
        value in header_value(),
    ) {
        let delivery = hmac_delivery(scheme(), "secret", "body").with_signature(value);
        let verifier = verifier(scheme(), "secret");
        let verdict = (SURFACES[0].deliver)(&verifier, &delivery).verdict;
        prop_assert!(verdict.is_err(), "{verdict:?}");
        for surface in SURFACES {
            prop_assert_eq!(&(surface.deliver)(&verifier, &delivery).verdict, &verdict);
        }
    }

    #[test]
    fn any_header_value_is_rejected_by_rsa(value in header_value()) {
        let delivery = Delivery::new([("fluent-signature".to_owned(), String::new())], "body").with_signature(value);
        let outcome = (SURFACES[0].deliver)(&fluent(), &delivery);
        prop_assert!(outcome.verdict.is_err());
    }

    #[test]
    fn any_clock_and_any_timestamp_give_a_verdict(
        time in "[0-9]{0,25}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})",
        clock in 0_u64..=u64::from(u32::MAX) * 1000,
    ) {
        let scheme = senders::modern_dropship().tolerance(Tolerance::within(Duration::from_secs(300)));
        let verifier = verifier(scheme, "secret");
        let headers = [("convictional-signature", format!("{time},{}", "0".repeat(64)))];
        let instant = UNIX_EPOCH + Duration::from_secs(clock);
        prop_assert!(verifier.verify(&headers, b"body", instant).is_err());
    }

    #[test]
    fn any_text_as_a_public_key_is_an_error(text in "[ -~\n]{0,200}", der in vec(any::<u8>(), 0..200)) {
        prop_assert!(PublicKey::from_pem(&text).is_err());
        prop_assert!(PublicKey::from_base64(&text).is_err());
        prop_assert!(PublicKey::from_der(&der).is_err());
    }

    #[test]
    fn a_damaged_public_key_is_an_error_or_rejects_a_forgery(place in 0_usize..162, byte in any::<u8>()) {
        let pem = std::fs::read_to_string(vectors_folder().join("keys/rsa-1024-public.pem")).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let mut der = BASE64_STANDARD.decode(base64).unwrap();
        der[place] = byte;
        if let Ok(key) = PublicKey::from_der(&der) {
            // The damaged key may still parse, but it must not verify a forged signature.
            if let Ok(verifier) = Verifier::builder(senders::fluent()).public_key("k", key).build() {
                let headers = [("fluent-signature", BASE64_STANDARD.encode([1; 128]))];
                prop_assert!(verifier.verify(&headers, b"body", now()).is_err());
            }
        }
    }
}
