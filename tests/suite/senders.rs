//! What is particular to one sender.

use std::collections::BTreeSet;

use countersign::{
    Fingerprint, PrivateKey, PublicKey, RejectionKind, Scheme, Secret, Signer, Verifier, senders,
};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, now, vectors_folder, verifier};

const ALL: [fn() -> Scheme; 6] = [
    senders::moduslink,
    senders::ewarehousing,
    senders::extend,
    senders::fluent,
    senders::fluent_legacy_md5,
    senders::modern_dropship,
];

#[test]
fn each_sender_is_a_dated_value_with_its_source() {
    let names: BTreeSet<String> = ALL.iter().map(|scheme| scheme().name().to_owned()).collect();
    assert_eq!(names.len(), ALL.len());
    for scheme in ALL {
        let (scheme, facts) = (scheme(), scheme().facts().unwrap());
        assert!(facts.source.starts_with("https://"), "{}", scheme.name());
        assert_eq!(facts.checked.len(), "2026-11-21".len(), "{}", scheme.name());
        let inferred = matches!(scheme.name(), "moduslink" | "modern-dropship");
        assert_eq!(!facts.inferred.is_empty(), inferred, "{}", scheme.name());
    }
}

#[track_caller]
fn assert_outcome(verifier: &Verifier, delivery: &Delivery, outcome: &Outcome) {
    for surface in SURFACES {
        assert_eq!(&(surface.deliver)(verifier, delivery), outcome, "{}", surface.name);
    }
}

fn fluent_key(name: &str) -> String {
    std::fs::read_to_string(vectors_folder().join("keys").join(name)).unwrap()
}

fn fluent_verifier(scheme: Scheme) -> Verifier {
    let key = PublicKey::from_pem(&fluent_key("rsa-1024-public.pem")).unwrap();
    Verifier::builder(scheme).public_key("k", key).build().unwrap()
}

/// What Fluent sends: both signatures, always.
fn fluent_delivery() -> Delivery {
    let sign = |scheme| {
        let key = PrivateKey::from_pem(&fluent_key("rsa-1024-private.pem")).unwrap();
        Signer::new(scheme, [key]).unwrap().headers(b"event", now()).unwrap()
    };
    Delivery::new([sign(senders::fluent()), sign(senders::fluent_legacy_md5())].concat(), "event")
}

#[test]
fn fluent_is_never_accepted_on_md5s_word() {
    let verifier = fluent_verifier(senders::fluent());
    let both = fluent_delivery();
    assert_outcome(&verifier, &both, &Outcome::verified("k", b"event".to_vec()));

    let mut md5_only = both.clone();
    let (_, sha512) = md5_only.headers.remove(0);
    assert_outcome(&verifier, &md5_only, &Outcome::rejected(RejectionKind::SignatureMissing));

    let mut wrong = sha512;
    wrong[10] ^= 1;
    wrong[10] = if wrong[10].is_ascii_alphanumeric() { wrong[10] } else { b'A' };
    assert_outcome(
        &verifier,
        &both.with_signature(wrong),
        &Outcome::rejected(RejectionKind::SignatureMismatch),
    );

    // MD5's signature in SHA-512's place.
    let (_, md5) = md5_only.headers[0].clone();
    assert_outcome(
        &verifier,
        &both.with_signature(md5),
        &Outcome::rejected(RejectionKind::SignatureMismatch),
    );
}

#[test]
fn fluents_md5_is_accepted_only_by_the_scheme_that_asks_for_it() {
    let verifier = fluent_verifier(senders::fluent_legacy_md5());
    let mut md5_only = fluent_delivery();
    let (_, sha512) = md5_only.headers.remove(0);
    assert_outcome(&verifier, &md5_only, &Outcome::verified("k", b"event".to_vec()));
    assert_outcome(&verifier, &fluent_delivery(), &Outcome::verified("k", b"event".to_vec()));
    let sha512 = md5_only.with_signature(sha512);
    assert_outcome(&verifier, &sha512, &Outcome::rejected(RejectionKind::SignatureMismatch));
}

#[test]
fn the_header_can_be_overridden() {
    let scheme = || senders::modern_dropship().header("X-Dropship-Signature");
    let verifier = verifier(scheme(), "secret");
    let sent = hmac_delivery(scheme(), "secret", "body");
    assert_eq!(sent.headers[0].0, "X-Dropship-Signature");
    assert_outcome(&verifier, &sent, &Outcome::verified("k", b"body".to_vec()));
    let elsewhere = hmac_delivery(senders::modern_dropship(), "secret", "body");
    assert_outcome(&verifier, &elsewhere, &Outcome::rejected(RejectionKind::SignatureMissing));
}

#[test]
fn a_senders_signature_is_no_good_for_another_sender() {
    let hmac = [senders::moduslink, senders::ewarehousing, senders::extend, senders::modern_dropship];
    for from in hmac {
        for to in hmac.iter().filter(|to| to().name() != from().name()) {
            let sent = hmac_delivery(from(), "secret", "body");
            let missing = Outcome::rejected(RejectionKind::SignatureMissing);
            assert_outcome(&verifier(to(), "secret"), &sent, &missing);
        }
    }
}

fn fingerprint(verifier: &Verifier, delivery: &Delivery) -> Fingerprint {
    verifier.verify(&delivery.headers, &delivery.body(), now()).unwrap().fingerprint()
}

#[test]
fn a_fingerprint_names_what_was_signed_and_not_how_the_signature_was_written() {
    let verifier = verifier(senders::extend(), "secret");
    let sent = hmac_delivery(senders::extend(), "secret", "body");
    let rewritten = sent.with_signature(sent.signature().to_lowercase());
    assert_eq!(fingerprint(&verifier, &sent), fingerprint(&verifier, &rewritten));
    let other = hmac_delivery(senders::extend(), "secret", "bode");
    assert_ne!(fingerprint(&verifier, &sent), fingerprint(&verifier, &other));
    let hex = sent.signature().split_off("sha256=".len()).to_lowercase();
    assert_ne!(fingerprint(&verifier, &sent).to_string(), hex);
    assert_eq!(fingerprint(&verifier, &sent).to_string().len(), 64);
}

#[test]
fn nobody_varies_a_fingerprint_by_leaving_signatures_out() {
    let secrets = || [Secret::new("old"), Secret::new("new")];
    let [old, new] = secrets();
    let builder = Verifier::builder(senders::modern_dropship()).secret("old", old).secret("new", new);
    let verifier = builder.build().unwrap();
    let signer = Signer::new(senders::modern_dropship(), secrets()).unwrap();
    let sent = Delivery::new(signer.headers(b"body", now()).unwrap(), "body");
    let value = sent.signature();
    let [time, by_old, by_new] = value.split(',').collect::<Vec<_>>().try_into().unwrap();
    for kept in
        [format!("{time},{by_old}"), format!("{time},{by_new}"), format!("t={time},v1={by_new},v1={by_old}")]
    {
        let varied = sent.with_signature(kept.as_str());
        assert_eq!(fingerprint(&verifier, &varied), fingerprint(&verifier, &sent), "{kept}");
    }
}

#[test]
fn a_fluent_fingerprint_does_not_depend_on_the_key() {
    let both = fluent_delivery();
    let alone = fluent_verifier(senders::fluent());
    let other = PublicKey::from_pem(&fluent_key("rsa-2048-public.pem")).unwrap();
    let same = PublicKey::from_pem(&fluent_key("rsa-1024-public.pem")).unwrap();
    let beside = Verifier::builder(senders::fluent())
        .public_key("other", other)
        .public_key("k", same)
        .build()
        .unwrap();
    assert_eq!(fingerprint(&alone, &both), fingerprint(&beside, &both));
}

#[test]
fn the_signed_timestamp_is_handed_on() {
    let verifier = verifier(senders::modern_dropship(), "secret");
    let sent = hmac_delivery(senders::modern_dropship(), "secret", "body");
    let timestamp = verifier.verify(&sent.headers, b"body", now()).unwrap().timestamp().unwrap();
    assert!(now().duration_since(timestamp).unwrap().as_secs() < 60);
    let untimed = hmac_delivery(senders::moduslink(), "secret", "body");
    let verified =
        crate::harness::verifier(senders::moduslink(), "secret").verify(&untimed.headers, b"body", now());
    assert_eq!(verified.unwrap().timestamp(), None);
}

#[test]
fn headers_that_no_signature_covers_change_nothing_in_the_proof() {
    let verifier = verifier(senders::ewarehousing(), "secret");
    let sent = hmac_delivery(senders::ewarehousing(), "secret", "body");
    let proof =
        |delivery: &Delivery| format!("{:?}", verifier.verify(&delivery.headers, b"body", now()).unwrap());
    let varied = sent
        .with_header("X-Webhook-Id", "00000000-0000-4000-8000-000000000000")
        .with_header("X-Topic", "paid");
    assert_eq!(proof(&varied), proof(&sent));
}
