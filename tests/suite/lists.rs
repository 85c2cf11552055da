//! Several signatures in one header: any valid one is enough, and unknown versions never count.

use countersign::{
    Algorithm, Encoding, Key, PrivateKey, PublicKey, RejectionKind, Scheme, Secret, SignatureList, Signer,
    Verifier, senders,
};

use crate::harness::{
    Delivery, Outcome, assert_outcome, hmac_delivery, kind_unread, now, vectors_folder, verifier,
};

fn verified() -> Outcome {
    Outcome::verified("k", b"body".to_vec())
}

fn stripe() -> (Verifier, Delivery) {
    (verifier(senders::stripe(), "secret"), hmac_delivery(senders::stripe(), "secret", "body"))
}

#[test]
fn one_valid_signature_is_enough_wherever_it_stands() {
    let (verifier, sent) = stripe();
    let value = sent.signature();
    let (time, right) = value.split_once(',').unwrap();
    let wrong = format!("v1={}", "0".repeat(64));
    for list in [
        format!("{time},{wrong},{right}"),
        format!("{time},{right},{wrong}"),
        format!("{right},{wrong},{time}"),
        format!("{time},{right},{right}"),
        format!("{time},v1=nonsense,v1=,v1,,{right}"),
        format!("{time} , {right} "),
        format!("v0={},scheme=x,{time},{right},v2=?", "0".repeat(64)),
        format!("{time}{},{right}", format!(",{wrong}").repeat(14)),
    ] {
        assert_outcome(&verifier, &sent.with_signature(list.as_str()), &verified());
    }
}

#[test]
fn of_several_signatures_with_the_same_fault_the_first_is_reported() {
    let (verifier, sent) = stripe();
    let time = sent.signature().split_once(',').unwrap().0.to_owned();
    let sent = sent.with_signature(format!("{time},v1=123456,v1=12345678"));
    let rejection = verifier.verify(&sent.headers, b"body", now()).unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::SignatureLength);
    assert!(rejection.to_string().contains("it has 6 characters instead of 64"), "{rejection}");
}

#[test]
fn a_signature_under_another_label_is_ignored() {
    let (verifier, sent) = stripe();
    let value = sent.signature();
    let unlisted = Outcome::rejected(RejectionKind::SignatureUnlisted);
    for label in ["v0=", "v2=", "v1a=", "v=", "=", "", "t1="] {
        assert_outcome(&verifier, &sent.with_signature(value.replace("v1=", label)), &unlisted);
    }
    let wrong = value.replace("v1=", &format!("v1={},v0=", "0".repeat(64)));
    assert_outcome(
        &verifier,
        &sent.with_signature(wrong),
        &Outcome::rejected(RejectionKind::SignatureMismatch),
    );
}

#[test]
fn exactly_one_timestamp_is_required() {
    let (verifier, sent) = stripe();
    let value = sent.signature();
    let (time, right) = value.split_once(',').unwrap();
    for (list, kind) in [
        (right.to_owned(), RejectionKind::TimestampMissing),
        (format!("{time},{time},{right}"), RejectionKind::TimestampRepeated),
        (format!("{time},{right},T=1"), RejectionKind::TimestampRepeated),
        (format!("t=,{right}"), RejectionKind::TimestampMalformed),
        (format!("t=+{},{right}", &time[2..]), RejectionKind::TimestampMalformed),
        (format!("t={}.0,{right}", &time[2..]), RejectionKind::TimestampMalformed),
        (format!("t=99999999999999999999,{right}"), RejectionKind::TimestampMalformed),
        (format!("t=18446744073709551615,{right}"), RejectionKind::TimestampMalformed),
        (format!("t=99999999999,{right}"), RejectionKind::TimestampInFuture),
        (format!("t=0,{right}"), RejectionKind::TimestampTooOld),
    ] {
        let sent = sent.with_signature(list.as_str());
        assert_outcome(&verifier, &sent, &Outcome::rejected(kind));
        assert_eq!(kind_unread(&verifier, &sent), kind, "{list}");
    }
}

#[test]
fn a_list_of_more_than_sixteen_items_is_rejected_before_the_body_is_read() {
    let (verifier, sent) = stripe();
    let value = sent.signature();
    for item in [",v1=00", ",", ",v0=x"] {
        let most = sent.with_signature(format!("{value}{}", item.repeat(14)));
        assert_outcome(&verifier, &most, &verified());
        let more = sent.with_signature(format!("{value}{}", item.repeat(15)));
        assert_outcome(&verifier, &more, &Outcome::rejected(RejectionKind::TooManySignatures));
        assert_eq!(kind_unread(&verifier, &more), RejectionKind::TooManySignatures);
    }
}

fn pem(name: &str) -> String {
    std::fs::read_to_string(vectors_folder().join("keys").join(name)).unwrap()
}

/// A sender that changes versions sends both versions' signatures in one header.
#[test]
fn standard_webhooks_accepts_only_its_schemes_version() {
    let secret = || Secret::new("whsec_c2VjcmV0").dangerously_accept_placeholder();
    let private = || PrivateKey::from_pem(&pem("ed25519-private.pem")).unwrap();
    let headers = |signer: Signer| signer.header("webhook-id", "msg_1").headers(b"body", now()).unwrap();
    let v1 = headers(Signer::new(senders::standard_webhooks(), [secret()]).unwrap());
    let v1a = headers(Signer::new(senders::standard_webhooks_ed25519(), [private()]).unwrap());
    let by_secret = Verifier::builder(senders::standard_webhooks()).secret("k", secret()).build().unwrap();
    let key = PublicKey::from_pem(&pem("ed25519-public.pem")).unwrap();
    let by_key =
        Verifier::builder(senders::standard_webhooks_ed25519()).public_key("k", key).build().unwrap();

    let sent = Delivery::new(v1.clone(), "body");
    assert_outcome(&by_secret, &sent, &verified());
    let both = sent.with_signature(format!("{} {}", v1a[0].1, v1[0].1));
    assert_outcome(&by_secret, &both, &verified());
    assert_outcome(&by_key, &both, &verified());
    let unlisted = Outcome::rejected(RejectionKind::SignatureUnlisted);
    assert_outcome(&by_secret, &sent.with_signature(v1a[0].1.as_str()), &unlisted);
    assert_outcome(&by_key, &sent, &unlisted);
    // A v1 signature under the label of v1a.
    let moved = sent.with_signature(v1[0].1.replace("v1,", "v1a,"));
    assert_outcome(&by_key, &moved, &Outcome::rejected(RejectionKind::SignatureLength));
}

#[test]
fn ed25519_checks_at_most_eight_pairs_of_key_and_signature() {
    pairs_are_bounded(Algorithm::Ed25519, "ed25519", 128);
}

#[test]
fn ecdsa_checks_at_most_eight_pairs_of_key_and_signature() {
    pairs_are_bounded(Algorithm::EcdsaP256Sha256Fixed, "p256", 128);
}

/// `digits` is the length of a signature in hex digits.
fn pairs_are_bounded(algorithm: Algorithm, key: &str, digits: usize) {
    let list = SignatureList::separated_by(',');
    let scheme = Scheme::builder("acme")
        .signature_header("X-Acme")
        .list(list)
        .encoding(Encoding::Hex)
        .algorithm(algorithm)
        .build()
        .unwrap();
    let private = PrivateKey::from_pem(&pem(&format!("{key}-private.pem"))).unwrap();
    let headers = Signer::new(scheme.clone(), [private]).unwrap().headers(b"body", now()).unwrap();
    let sent = Delivery::new(headers, "body");
    let public = |name: &str| PublicKey::from_pem(&pem(&format!("{name}-public.pem"))).unwrap();
    let keys = |count| {
        let others = (1..count).map(|id| Key::public(id.to_string(), public(&format!("{key}-{id}"))));
        let builder = Verifier::builder(scheme.clone()).public_key("k", public(key));
        others.fold(builder, countersign::VerifierBuilder::key).build().unwrap()
    };
    let wrong = format!(",{}", "0".repeat(digits));
    let listing =
        |count: usize| sent.with_signature(format!("{}{}", sent.signature(), wrong.repeat(count - 1)));
    assert_outcome(&keys(1), &listing(8), &verified());
    assert_outcome(&keys(1), &listing(9), &Outcome::rejected(RejectionKind::TooManySignatures));
    assert_outcome(&keys(4), &listing(2), &verified());
    assert_outcome(&keys(4), &listing(3), &Outcome::rejected(RejectionKind::TooManySignatures));
    assert_eq!(kind_unread(&keys(4), &listing(3)), RejectionKind::TooManySignatures);
}

#[test]
fn an_unlabelled_list_treats_every_item_as_a_signature() {
    let scheme = Scheme::builder("acme")
        .signature_header("X-Acme")
        .list(SignatureList::separated_by(';'))
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
        .build()
        .unwrap();
    let signer = Signer::new(scheme.clone(), [Secret::new("old"), Secret::new("new")]).unwrap();
    let sent = Delivery::new(signer.headers(b"body", now()).unwrap(), "body");
    for secret in ["old", "new"] {
        assert_outcome(&verifier(scheme.clone(), secret), &sent, &verified());
    }
    let neither = verifier(scheme, "neither");
    assert_outcome(&neither, &sent, &Outcome::rejected(RejectionKind::SignatureMismatch));
}
