//! What fuzzing found in the library, and what was found by reading it for fuzzing: each stays mended.

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
    Verifier::builder(scheme).secret("only", Secret::new("secret")).build().unwrap()
}

fn plain() -> SchemeBuilder {
    Scheme::builder("found")
        .signature_header("x-signature")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
}

/// It is refused when it is built, or takes what its own sender makes.
fn takes_its_own_or_is_refused(builder: SchemeBuilder) {
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
fn a_signature_may_begin_like_its_prefix() {
    takes_its_own_or_is_refused(plain().prefix("ab"));
    takes_its_own_or_is_refused(plain().prefix("v1").encoding(Encoding::Base64(Padding::Required)));
}

#[test]
fn a_prefix_that_matches_nothing_is_no_prefix() {
    takes_its_own_or_is_refused(plain().prefix("v1=sha256="));
    takes_its_own_or_is_refused(plain().prefix("v1 ="));
}

#[test]
fn a_label_that_matches_nothing_is_no_label() {
    for label in ["v1 ", " v1", "é"] {
        takes_its_own_or_is_refused(plain().list(SignatureList::separated_by(',').labelled(label, '=')));
    }
}

#[test]
fn a_timestamp_label_that_matches_nothing_is_no_label() {
    for label in ["a,b", "a=b", "t ", " t", "é"] {
        let five_minutes = Tolerance::within(Duration::from_secs(300));
        takes_its_own_or_is_refused(
            plain()
                .list(SignatureList::separated_by(',').labelled("v1", '='))
                .timestamp(Timestamp::in_list(label, TimestampFormat::Seconds, five_minutes))
                .content([Part::Timestamp, Part::literal("."), Part::Body]),
        );
    }
}

#[test]
fn a_list_cannot_be_parted_by_what_its_timestamp_holds() {
    let five_minutes = Tolerance::within(Duration::from_secs(300));
    takes_its_own_or_is_refused(
        plain()
            .list(SignatureList::separated_by(':').labelled("v1", '='))
            .timestamp(Timestamp::in_list("t", TimestampFormat::Rfc3339, five_minutes))
            .content([Part::Timestamp, Part::literal("."), Part::Body]),
    );
}

#[test]
fn a_date_and_a_time_are_parted_by_a_t_or_a_space() {
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

/// Both are (timestamp, body) with one signed content: at most one is accepted.
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
fn no_byte_moves_from_a_modern_dropship_timestamp() {
    at_most_one_passes(
        senders::modern_dropship(),
        ".",
        [("2024-06-25.19:00:00Z", "body"), ("2024-06-25", "19:00:00Z.body")],
    );
}

#[test]
fn no_byte_moves_from_a_timestamp_of_any_format() {
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
        // A separator that is refused leaves nothing to cut.
        if let Ok(scheme) = builder.content([Part::Timestamp, Part::literal(separator), Part::Body]).build() {
            at_most_one_passes(scheme, separator, deliveries);
        }
    }
}
