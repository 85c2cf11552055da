//! Regression tests for bugs found by fuzzing, and by reading the library for fuzzing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine};
use countersign::{
    Algorithm, Encoding, Padding, Part, Scheme, SchemeBuilder, Secret, SignatureList, Signer, Timestamp,
    TimestampFormat, Tolerance, Verifier, senders,
};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_719_342_000)
}

fn verifier(scheme: Scheme) -> Verifier {
    Verifier::builder(scheme)
        .secret("only", Secret::new("secret").dangerously_accept_placeholder())
        .build()
        .unwrap()
}

fn plain() -> SchemeBuilder {
    Scheme::builder("found")
        .signature_header("x-signature")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
}

/// Asserts that the scheme does not build, or that it accepts its own signer's deliveries.
fn accepts_its_own_or_does_not_build(builder: SchemeBuilder) {
    let Ok(scheme) = builder.build() else { return };
    let signer = Signer::new(scheme.clone(), [Secret::new("secret")]).unwrap();
    let verifier = verifier(scheme);
    for body in 0..=u16::MAX {
        let body = body.to_string();
        let headers = signer.headers(body.as_bytes(), now()).unwrap();
        let verdict = verifier.verify(&headers, body.as_bytes(), now());
        assert!(verdict.is_ok(), "{headers:?}: {verdict:?}");
    }
}

#[test]
fn a_signature_may_start_like_its_prefix() {
    accepts_its_own_or_does_not_build(plain().prefix("ab"));
    accepts_its_own_or_does_not_build(plain().prefix("v1").encoding(Encoding::Base64(Padding::Required)));
}

#[test]
fn a_prefix_that_cannot_match_does_not_build() {
    accepts_its_own_or_does_not_build(plain().prefix("v1=sha256="));
    accepts_its_own_or_does_not_build(plain().prefix("v1 ="));
}

#[test]
fn a_label_that_cannot_match_does_not_build() {
    for label in ["v1 ", " v1", "é"] {
        accepts_its_own_or_does_not_build(
            plain().list(SignatureList::separated_by(',').labelled(label, '=')),
        );
    }
}

#[test]
fn a_timestamp_label_that_cannot_match_does_not_build() {
    for label in ["a,b", "a=b", "t ", " t", "é"] {
        let five_minutes = Tolerance::within(Duration::from_secs(300));
        accepts_its_own_or_does_not_build(
            plain()
                .list(SignatureList::separated_by(',').labelled("v1", '='))
                .timestamp(Timestamp::in_list(label, TimestampFormat::Seconds, five_minutes))
                .content([Part::Timestamp, Part::literal("."), Part::Body]),
        );
    }
}

#[test]
fn a_separator_that_the_timestamp_contains_does_not_build() {
    let five_minutes = Tolerance::within(Duration::from_secs(300));
    accepts_its_own_or_does_not_build(
        plain()
            .list(SignatureList::separated_by(':').labelled("v1", '='))
            .timestamp(Timestamp::in_list("t", TimestampFormat::Rfc3339, five_minutes))
            .content([Part::Timestamp, Part::literal("."), Part::Body]),
    );
}

#[test]
fn only_a_t_or_a_space_separates_date_and_time() {
    let verifier = verifier(senders::zendesk());
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    let passes = |time: &str| {
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, time.as_bytes()));
        let names = ["x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"];
        verifier.verify(&[(names[0], &*signature), (names[1], time)], b"", now()).is_ok()
    };
    assert!(passes("2024-06-25T19:00:00Z"));
    for parted in ["2024-06-25_19:00:00Z", "2024-06-25919:00:00Z", "2024-06-25.19:00:00Z"] {
        assert!(!passes(parted), "{parted}");
    }
}

/// Each delivery is `(timestamp, body)`, and both have the same signed content: at most one may be accepted.
fn at_most_one_passes(scheme: Scheme, separator: &str, deliveries: [(&str, &str); 2]) {
    let header = scheme.header_name().to_owned();
    let verifier = verifier(scheme);
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    let accepted = deliveries.map(|(time, body)| {
        let signature = hex::encode(hmac::sign(&key, format!("{time}{separator}{body}").as_bytes()));
        let headers = [(&*header, format!("t={time},v1={signature}"))];
        verifier.verify(&headers, body.as_bytes(), now()).is_ok()
    });
    assert_ne!(accepted, [true, true], "{deliveries:?}");
}

#[test]
fn bytes_cannot_move_out_of_a_modern_dropship_timestamp() {
    at_most_one_passes(
        senders::modern_dropship(),
        ".",
        [("2024-06-25.19:00:00Z", "body"), ("2024-06-25", "19:00:00Z.body")],
    );
}

#[test]
fn bytes_cannot_move_out_of_a_timestamp_of_any_format() {
    for (separator, deliveries) in [
        (":", [("2024-06-25T19:00:00Z", "body"), ("2024-06-25T19", "00:00Z:body")]),
        ("-", [("2024-06-25T19:00:00Z", "body"), ("2024", "06-25T19:00:00Z-body")]),
        ("T", [("2024-06-25T19:00:00Z", "body"), ("2024-06-25", "19:00:00ZTbody")]),
        ("|", [("2024-06-25|19:00:00Z", "body"), ("2024-06-25", "19:00:00Z|body")]),
        ("--", [("noon-", "body"), ("noon", "-body")]),
    ] {
        let list = SignatureList::separated_by(',').labelled("v1", '=');
        let any = Timestamp::in_list("t", TimestampFormat::Any, Tolerance::dangerously_unlimited());
        let builder = plain().list(list).timestamp(any);
        // Nothing to test if the builder refuses the separator.
        if let Ok(scheme) = builder.content([Part::Timestamp, Part::literal(separator), Part::Body]).build() {
            at_most_one_passes(scheme, separator, deliveries);
        }
    }
}
