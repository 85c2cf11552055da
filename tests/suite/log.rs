//! The events that are logged, none of which shows a secret.

use std::{
    io,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{Key, RejectionKind, Secret, Verifier, senders};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

use crate::harness::{SURFACES, hmac_delivery, now, verifier};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything that `run` logs, at every level.
pub(crate) fn captured(run: impl FnOnce()) -> String {
    captured_with(FmtSpan::NONE, run)
}

/// Everything that `run` logs, at every level, and these events of each span.
pub(crate) fn captured_with(spans: FmtSpan, run: impl FnOnce()) -> String {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .without_time()
        .with_span_events(spans)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_rejection_is_one_warning_with_sender_reason_and_header() {
    let verifier = verifier(senders::moduslink(), "secret");
    for surface in SURFACES {
        let unsigned = crate::harness::Delivery::new([], "body");
        let log = captured(|| drop((surface.deliver)(&verifier, &unsigned)));
        let warnings: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(
            warnings,
            [" WARN countersign: delivery rejected: moduslink (x-moduslink-hmac-sha256): the header is \
              missing sender=\"moduslink\" reason=\"signature_missing\""],
            "{}",
            surface.name
        );
    }
}

#[test]
fn a_delivery_signed_with_an_expired_key_is_logged_with_the_key_id() {
    let expired = Key::secret("2025-q4", Secret::new("old")).expires_at(std::time::SystemTime::UNIX_EPOCH);
    let verifier =
        Verifier::builder(senders::moduslink()).key(expired).secret("k", Secret::new("new")).build().unwrap();
    let sent = hmac_delivery(senders::moduslink(), "old", "body");
    let log = captured(|| drop(verifier.verify(&sent.headers, b"body", now())));
    assert!(log.contains("the signature was made with a key that has expired: 2025-q4"), "{log}");
    assert!(log.contains("key=\"2025-q4\""), "{log}");
}

#[test]
fn a_verified_delivery_is_a_debug_event_with_the_key_id() {
    let verifier = verifier(senders::moduslink(), "secret");
    let sent = hmac_delivery(senders::moduslink(), "secret", "body");
    for surface in SURFACES {
        let log = captured(|| drop((surface.deliver)(&verifier, &sent)));
        assert!(log.contains("DEBUG countersign: delivery verified sender=\"moduslink\" key=\"k\""), "{log}");
    }
}

#[test]
fn no_debug_output_error_or_log_shows_a_secret_or_a_computed_signature() {
    let secret = "correct-horse-battery-staple";
    let sent = hmac_delivery(senders::extend(), secret, "body");
    let right = sent.signature().split_off("sha256=".len()).to_lowercase();
    let bytes = base16ct::lower::decode_vec(&right).unwrap();
    let forbidden = [
        secret.to_owned(),
        base16ct::lower::encode_string(secret.as_bytes()),
        BASE64_STANDARD.encode(secret.as_bytes()),
        right,
        BASE64_STANDARD.encode(&bytes),
        format!("{bytes:?}"),
        format!("{:?}", secret.as_bytes()),
    ];

    let key = Key::secret("k", Secret::new(secret));
    let builder = Verifier::builder(senders::extend()).key(key.clone());
    let mut shown = format!("{:?} {key:?} {builder:?} {builder:#?}", Secret::new(secret));
    let verifier = builder.build().unwrap();
    let mut verification = verifier.begin(&sent.headers, now()).unwrap();
    verification.update(b"body").unwrap();
    shown += &format!("{verifier:?} {verification:?}");
    shown += &format!("{:?}", countersign::Signer::new(senders::extend(), [Secret::new(secret)]).unwrap());
    let verified = verification.finish().unwrap();
    shown += &format!("{verified:?} {}", verified.fingerprint());
    let mut verification = verifier.begin_buffered(&sent.headers, now()).unwrap();
    verification.update(b"body".as_slice().into()).unwrap();
    shown += &format!("{verification:?}");
    shown += &format!("{:?}", verification.finish().unwrap());
    assert!(!shown.contains("b\"body\"") && !shown.contains("[98, 111, 100, 121]"), "{shown}");
    // The signature does not fit this body: no output may show the one that would.
    let wrong = sent.with_body("another body");
    let rejection = verifier.verify(&wrong.headers, b"another body", now()).unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
    shown += &format!("{rejection} {rejection:?} {rejection:#?}");
    for surface in SURFACES {
        shown += &captured(|| {
            (surface.deliver)(&verifier, &sent);
            (surface.deliver)(&verifier, &wrong);
        });
    }

    let computed_for_wrong =
        hmac_delivery(senders::extend(), secret, "another body").signature().split_off(7);
    let shown = shown.to_lowercase();
    for forbidden in forbidden.iter().chain([&computed_for_wrong.to_lowercase()]) {
        assert!(!shown.contains(&forbidden.to_lowercase()), "{forbidden} is shown");
    }
    assert!(shown.contains("redacted"));
}

#[test]
fn a_rejections_debug_output_shows_nothing_the_caller_sent() {
    let verifier = verifier(senders::moduslink(), "secret");
    let sent = hmac_delivery(senders::moduslink(), "secret", "body").with_signature("<script>\u{7f}evil");
    let rejection = verifier.verify(&sent.headers, b"body", now()).unwrap_err();
    assert!(!format!("{rejection} {rejection:?}").contains("evil"));
}
