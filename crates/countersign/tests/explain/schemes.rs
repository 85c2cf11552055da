//! Schemes of a sender that has no name, and bodies.

use std::time::Duration;

use countersign::{
    Algorithm, Encoding, Part, Scheme, SchemeBuilder, SecretForm, SignatureList, Timestamp, TimestampFormat,
    Tolerance,
};

pub(crate) const COMPACT: &[u8] = br#"{"id":1,"note":"paid","tags":["a","b"]}"#;
pub(crate) const SPACED: &[u8] = br#"{"id": 1, "note": "paid", "tags": ["a", "b"]}"#;

const FIVE_MINUTES: Tolerance = Tolerance::within(Duration::from_secs(300));

pub(crate) fn acme() -> SchemeBuilder {
    Scheme::builder("acme")
        .signature_header("X-Acme-Signature")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
}

pub(crate) fn acme_with_time(format: TimestampFormat) -> SchemeBuilder {
    acme().timestamp(Timestamp::in_header("X-Acme-Time", format, FIVE_MINUTES)).content([
        Part::Timestamp,
        Part::literal("."),
        Part::Body,
    ])
}

pub(crate) fn seconds() -> Scheme {
    acme_with_time(TimestampFormat::Seconds).build().unwrap()
}

pub(crate) fn listed(format: TimestampFormat) -> Scheme {
    acme()
        .list(SignatureList::separated_by(',').labelled("v1", '='))
        .timestamp(Timestamp::in_list("t", format, FIVE_MINUTES))
        .content([Part::Timestamp, Part::literal("."), Part::Body])
        .build()
        .unwrap()
}

pub(crate) fn acme_with_path() -> Scheme {
    acme()
        .content([Part::Path, Part::literal("\n"), Part::Query, Part::literal("\n"), Part::Body])
        .build()
        .unwrap()
}

pub(crate) fn form(form: SecretForm) -> Scheme {
    acme().secret_form(form).build().unwrap()
}
