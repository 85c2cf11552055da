//! The order of the checks, and the ways a body can be wrong.

use std::time::{Duration, SystemTime};

use countersign::{RejectionKind, Tolerance, Verifier, senders};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, verifier};

const BODY: &[u8] = br#"{"eventType":"Orders.Created"}"#;

/// Each request below also fails every later check, so the first check in the documented order decides.
#[test]
fn checks_run_in_the_documented_order() {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let tolerance = Tolerance::within(Duration::from_secs(300));
    let build = |expired: bool| {
        let key = countersign::Key::secret(
            "k",
            countersign::Secret::new("secret").dangerously_accept_placeholder(),
        );
        let key = if expired { key.expires_at(long_ago) } else { key };
        let scheme = senders::modern_dropship().tolerance(tolerance);
        Verifier::builder(scheme).key(key).body_limit(100).build().unwrap()
    };
    let body = vec![b'x'; 101];
    let wrong = "0".repeat(64);
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let with = |values: &[String]| {
        let mut delivery =
            Delivery::new([], body.clone()).in_chunks_of(50).with_header("Content-Length", "101");
        for value in values {
            delivery = delivery.with_header("Convictional-Signature", value.as_str());
        }
        delivery
    };
    let stale = format!("1,{wrong}");
    let fresh = format!("{seconds},{wrong}");
    let without_length = |delivery: Delivery| {
        let headers = delivery.headers.into_iter().filter(|(name, _)| name != "Content-Length").collect();
        Delivery { headers, ..delivery }
    };

    let steps = [
        (build(true), with(&[]), RejectionKind::SignatureMissing),
        (build(true), with(&["1,zz".into(), "1,zz".into()]), RejectionKind::SignatureRepeated),
        (build(true), with(&["1,zz".into()]), RejectionKind::SignatureLength),
        (build(true), with(&["1".into()]), RejectionKind::SignatureUnlisted),
        (build(true), with(&[format!("x,{wrong}")]), RejectionKind::TimestampMalformed),
        (build(true), with(&[format!("x.,{wrong}")]), RejectionKind::TimestampMalformed),
        (build(true), with(&[stale]), RejectionKind::TimestampTooOld),
        (build(true), with(std::slice::from_ref(&fresh)), RejectionKind::NoActiveKey),
        (build(false), with(std::slice::from_ref(&fresh)), RejectionKind::BodyTooLarge),
        (build(false), without_length(with(std::slice::from_ref(&fresh))), RejectionKind::BodyTooLarge),
        (build(false), without_length(with(&[fresh]).with_body("x")), RejectionKind::SignatureMismatch),
    ];
    for (number, (verifier, delivery, kind)) in steps.iter().enumerate() {
        for surface in SURFACES {
            let outcome = (surface.deliver)(verifier, delivery);
            assert_eq!(outcome, Outcome::rejected(*kind), "step {number} through {}", surface.name);
        }
    }
}

#[test]
fn a_content_length_over_the_limit_or_not_a_number_is_rejected() {
    let verifier = verifier(senders::moduslink(), "secret");
    let sent = hmac_delivery(senders::moduslink(), "secret", BODY);
    let length = BODY.len().to_string();
    let over = RejectionKind::BodyTooLarge;
    let malformed = RejectionKind::ContentLengthMalformed;
    for surface in SURFACES {
        let deliver = |value: &str| (surface.deliver)(&verifier, &sent.with_header("content-length", value));
        for good in [length.as_str(), "0", "1048576", "0000000000000000000000001"] {
            assert_eq!(deliver(good), Outcome::verified("k", BODY.to_vec()), "{good}");
        }
        for (value, kind) in [
            ("1048577", over),
            ("1000000000000000", over),
            ("18446744073709551616", over),
            ("99999999999999999999999999999999999999", over),
            ("", malformed),
            ("-1", malformed),
            ("+1", malformed),
            ("1e3", malformed),
            ("12 34", malformed),
            ("12, 12", malformed),
        ] {
            assert_eq!(deliver(value), Outcome::rejected(kind), "{value:?} through {}", surface.name);
        }
        let twice = sent.with_header("content-length", "1").with_header("content-length", "1048577");
        assert_eq!((surface.deliver)(&verifier, &twice), Outcome::rejected(over));
    }
}

#[test]
fn a_body_at_the_limit_passes_and_one_byte_more_does_not() {
    let build = |limit| {
        let secret = countersign::Secret::new("secret").dangerously_accept_placeholder();
        Verifier::builder(senders::moduslink()).secret("k", secret).body_limit(limit).build().unwrap()
    };
    let body = vec![0xff_u8; 10_000];
    let sent = hmac_delivery(senders::moduslink(), "secret", body.clone());
    for delivery in [sent.clone(), sent.in_chunks_of(7), sent.split_at(9_999)] {
        for surface in SURFACES {
            let deliver = |limit| (surface.deliver)(&build(limit), &delivery);
            assert_eq!(deliver(10_000), Outcome::verified("k", body.clone()));
            assert_eq!(deliver(9_999), Outcome::rejected(RejectionKind::BodyTooLarge));
        }
    }
}

#[test]
fn a_signed_empty_body_is_a_valid_delivery() {
    for scheme in [senders::moduslink, senders::ewarehousing, senders::extend, senders::modern_dropship] {
        let sent = hmac_delivery(scheme(), "secret", "");
        for delivery in [sent.clone(), Delivery { chunks: Vec::new(), ..sent }] {
            for surface in SURFACES {
                let outcome = (surface.deliver)(&verifier(scheme(), "secret"), &delivery);
                assert_eq!(outcome, Outcome::verified("k", Vec::new()), "{}", surface.name);
            }
        }
    }
}

#[test]
fn empty_chunks_are_counted_and_change_nothing_up_to_their_limit() {
    let verifier = verifier(senders::moduslink(), "secret");
    let mut sent = hmac_delivery(senders::moduslink(), "secret", BODY);
    sent.chunks.extend(vec![bytes::Bytes::new(); 1024]);
    for surface in SURFACES {
        assert_eq!((surface.deliver)(&verifier, &sent), Outcome::verified("k", BODY.to_vec()));
    }
    sent.chunks.push(bytes::Bytes::new());
    for surface in SURFACES.iter().filter(|surface| surface.name != "core, one-shot") {
        let outcome = (surface.deliver)(&verifier, &sent);
        assert_eq!(outcome, Outcome::rejected(RejectionKind::BodyUnreadable), "{}", surface.name);
    }
}
