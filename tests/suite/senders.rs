//! Properties of the built-in senders, and the peculiarities of each.

use std::collections::BTreeSet;

use countersign::{
    Algorithm, Fingerprint, Key, PrivateKey, PublicKey, RejectionKind, Scheme, Secret, Signer, SigningKey,
    Verifier, senders,
};
use sha2::{Digest, Sha256};

use crate::harness::{
    Delivery, Outcome, assert_outcome, hmac_delivery, kind_unread, now, vectors_folder, verifier,
};

/// Every built-in sender, with a URL if it signs one.
pub(crate) fn all() -> impl Iterator<Item = Scheme> {
    let url = "https://example.com/hook";
    senders::names()
        .map(move |name| senders::named(name, None).or_else(|_| senders::named(name, Some(url))).unwrap())
}

#[test]
fn each_sender_states_its_source_and_when_it_was_checked() {
    let mut names = BTreeSet::new();
    let mut inferred = Vec::new();
    for (scheme, name) in all().zip(senders::names()) {
        let facts = scheme.facts().unwrap();
        assert_eq!(scheme.name(), name);
        assert!(names.insert(name));
        assert!(facts.source.starts_with("https://"), "{name}");
        assert!(facts.checked >= "2026-11-21" && facts.checked.len() == "2026-11-21".len(), "{name}");
        if !facts.inferred.is_empty() {
            inferred.push(name);
        }
    }
    assert_eq!(
        inferred,
        [
            "moduslink",
            "ewarehousing",
            "extend",
            "fluent",
            "fluent-legacy-md5",
            "modern-dropship",
            "bigcommerce",
            "github",
            "linear",
            "zendesk",
            "hubspot-v3",
            "calendly",
            "box-primary",
            "box-secondary",
            "discord",
            "sendgrid",
            "zoom",
            "meta"
        ]
    );
    assert_eq!(names.len(), 30);
}

pub(crate) fn pem(name: &str) -> String {
    std::fs::read_to_string(vectors_folder().join("keys").join(name)).unwrap()
}

/// A signing key and the verifying key that fits it, for this scheme.
pub(crate) fn keys(scheme: &Scheme) -> (SigningKey, Key) {
    let pair = |name: &str| {
        let private = PrivateKey::from_pem(&pem(&format!("{name}-private.pem"))).unwrap();
        (private.into(), Key::public("k", PublicKey::from_pem(&pem(&format!("{name}-public.pem"))).unwrap()))
    };
    match scheme.algorithm() {
        Algorithm::RsaPkcs1Sha512 | Algorithm::LegacyRsaPkcs1Md5 => pair("rsa-1024"),
        Algorithm::EcdsaP256Sha256 => pair("p256"),
        Algorithm::Ed25519 => pair("ed25519"),
        // Also valid base64, for senders whose secrets are encoded.
        _ => (
            Secret::new("c2VjcmV0").dangerously_accept_placeholder().into(),
            Key::secret("k", Secret::new("c2VjcmV0").dangerously_accept_placeholder()),
        ),
    }
}

/// The sender's delivery of this body.
fn sent_by(scheme: &Scheme, body: &str) -> Delivery {
    let target = format!("/hook?bodySHA256={}", base16ct::lower::encode_string(&Sha256::digest(body)));
    let signer = Signer::new(scheme.clone(), [keys(scheme).0]).unwrap();
    let signer =
        signer.header("webhook-id", "msg_1").header("svix-id", "msg_1").request("POST", target.as_str());
    Delivery::new(signer.headers(body.as_bytes(), now()).unwrap(), body).to("POST", &target)
}

#[test]
fn every_senders_header_has_the_shape_that_its_scheme_states() {
    for scheme in all() {
        let sent = sent_by(&scheme, "From=%2B1415&Body=a");
        let (_, value) = sent.headers.iter().find(|(name, _)| name == scheme.header_name()).unwrap().clone();
        let value = String::from_utf8(value).unwrap();
        // The signature stands last, behind what is always the same.
        let shape = scheme.signature_shape();
        let (before, placeholder) = shape.split_at(shape.rfind('<').unwrap());
        let label = before.rsplit('>').next().unwrap();
        let signature = value.rsplit_once(label).map_or("", |(_, signature)| signature);
        let signature = if label.is_empty() { &value } else { signature };
        let is_written = |char: char| match placeholder {
            "<hex>" => char.is_ascii_hexdigit(),
            "<base64>" | "<token>" => char.is_ascii_alphanumeric() || "+/=".contains(char),
            other => panic!("{other}"),
        };
        assert!(!signature.is_empty() && signature.chars().all(is_written), "{shape}: {value}");
        assert!(value.starts_with(before.split('<').next().unwrap()), "{shape}: {value}");
    }
}

#[test]
fn every_sender_verifies_its_own_delivery_and_rejects_another_body() {
    let mut bodies_refused = 0;
    for scheme in all() {
        let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
        let sent = sent_by(&scheme, "From=%2B1415&Body=a");
        assert_outcome(&verifier, &sent, &Outcome::verified("k", b"From=%2B1415&Body=a".to_vec()));
        let refused = match scheme.name() {
            "gitlab-unsigned-token" => continue,
            "twilio-json" => RejectionKind::BodyDigestMismatch,
            _ => RejectionKind::SignatureMismatch,
        };
        assert_outcome(&verifier, &sent.with_body("From=%2B1415&Body=b"), &Outcome::rejected(refused));
        bodies_refused += 1;
    }
    assert_eq!(bodies_refused, 29);
}

#[test]
fn an_unknown_sender_name_or_unsuitable_url_is_an_error() {
    let error = |name, url| senders::named(name, url).unwrap_err().to_string();
    assert_eq!(
        error("square", None),
        "scheme \"square\", url: it is missing: give your address as configured at the sender, which signs it"
    );
    assert_eq!(
        error("github", Some("https://a")),
        "scheme \"github\", url: the sender does not sign it: remove it"
    );
    assert!(error("Github", None).contains("unknown sender: use one of moduslink, "));
    let built = Verifier::builder(senders::square("example.com")).secret("k", Secret::new("s")).build();
    assert_eq!(
        built.unwrap_err().to_string(),
        "scheme \"square\", url: it does not begin with https:// or http://, or is not visible ASCII"
    );
}

#[test]
fn a_static_token_is_compared_whole_and_does_not_cover_the_body() {
    let verifier = verifier(senders::gitlab_unsigned_token(), "t0ken of mine");
    let sent =
        |token: &str, body: &str| Delivery::new([("X-Gitlab-Token".to_owned(), token.to_owned())], body);
    for body in ["body", "another"] {
        let outcome = Outcome::verified("k", body.as_bytes().to_vec());
        assert_outcome(&verifier, &sent("t0ken of mine", body), &outcome);
    }
    for token in ["t0ken of min", "t0ken of mine!", "T0ken of mine", "t"] {
        assert_outcome(&verifier, &sent(token, "body"), &Outcome::rejected(RejectionKind::SignatureMismatch));
    }
    assert_outcome(&verifier, &sent("", "body"), &Outcome::rejected(RejectionKind::SignatureEmpty));
    let twice = sent("t0ken of mine", "body").with_header("x-gitlab-token", "t0ken of mine");
    assert_outcome(&verifier, &twice, &Outcome::rejected(RejectionKind::SignatureRepeated));
    // A retry has the same fingerprint, and another body has another.
    let name = |body| fingerprint(&verifier, &sent("t0ken of mine", body));
    assert_eq!(name("body"), name("body"));
    assert_ne!(name("body"), name("another"));
    for secret in [" t0ken", "t0ken\n", "t\u{f6}ken"] {
        let built = Verifier::builder(senders::gitlab_unsigned_token())
            .secret("k", Secret::new(secret).dangerously_accept_placeholder())
            .build();
        assert_eq!(
            built.unwrap_err().to_string(),
            "the secret of key \"k\" of gitlab-unsigned-token has the wrong form: it must be visible ASCII \
             characters, as a header can carry"
        );
    }
}

fn twilio(scheme: Scheme, body: &str, target: &str) -> (Verifier, Delivery) {
    let signer = Signer::new(scheme.clone(), [Secret::new("12345")]).unwrap().request("POST", target);
    let headers = signer.headers(body.as_bytes(), now()).unwrap();
    (verifier(scheme, "12345"), Delivery::new(headers, body).to("POST", target))
}

#[test]
fn a_twilio_form_is_verified_by_its_fields_however_it_is_chunked() {
    let url = "https://example.com/sms";
    let (verifier, sent) = twilio(senders::twilio_form(url), "To=%2B1&Body=a+b&From=%2B2", "/");
    let same = ["To=%2B1&Body=a+b&From=%2B2", "Body=a%20b&From=%2b2&To=%2B1"];
    for body in same {
        for size in [1, 5, 100] {
            let outcome = Outcome::verified("k", body.as_bytes().to_vec());
            assert_outcome(&verifier, &sent.with_body(body).in_chunks_of(size), &outcome);
        }
    }
    let mismatch = Outcome::rejected(RejectionKind::SignatureMismatch);
    for body in ["To=%2B1&Body=a+c&From=%2B2", "To=%2B1&Body=a+b", "To=%2B1&Body=a+b&From=%2B2&X=1", ""] {
        assert_outcome(&verifier, &sent.with_body(body), &mismatch);
    }
    let malformed = Outcome::rejected(RejectionKind::FormMalformed);
    assert_outcome(&verifier, &sent.with_body(b"To=%FF".as_slice()), &malformed);
    assert_outcome(&verifier, &sent.with_body(b"To=\xff".as_slice()), &malformed);
    let elsewhere = crate::harness::verifier(senders::twilio_form("https://example.com/sms/"), "12345");
    assert_outcome(&elsewhere, &sent, &mismatch);
}

#[test]
fn a_twilio_json_delivery_needs_the_signature_of_the_url_and_the_digest_of_the_body() {
    let scheme = || senders::twilio_json("https://example.com/hook?a=1");
    let digest = base16ct::lower::encode_string(&Sha256::digest(b"{}"));
    let target = format!("/hook?a=1&bodySHA256={digest}");
    let (verifier, sent) = twilio(scheme(), "{}", &target);
    assert_outcome(&verifier, &sent, &Outcome::verified("k", b"{}".to_vec()));
    assert_outcome(&verifier, &sent.with_body("[]"), &Outcome::rejected(RejectionKind::BodyDigestMismatch));
    // The digest of the other body, with the signature for the first.
    let other = base16ct::lower::encode_string(&Sha256::digest(b"[]"));
    let moved = sent.with_body("[]").to("POST", &format!("/hook?a=1&bodySHA256={other}"));
    assert_outcome(&verifier, &moved, &Outcome::rejected(RejectionKind::SignatureMismatch));
    let malformed = Outcome::rejected(RejectionKind::BodyDigestMalformed);
    for query in [
        "a=1".to_owned(),
        format!("bodysha256={digest}"),
        format!("bodySHA256={}", digest.to_uppercase()),
        format!("bodySHA256={digest}0"),
        format!("bodySHA256={}", &digest[..62]),
        format!("bodySHA256={digest}&bodySHA256={digest}"),
        "bodySHA256=".to_owned(),
    ] {
        let sent = sent.to("POST", &format!("/hook?{query}"));
        assert_outcome(&verifier, &sent, &malformed);
        assert_eq!(kind_unread(&verifier, &sent), RejectionKind::BodyDigestMalformed);
    }
    assert_outcome(&verifier, &sent.to("POST", "/hook"), &Outcome::rejected(RejectionKind::PartMissing));
}

#[test]
fn only_hubspots_twelve_escapes_are_decoded_in_the_configured_url() {
    let url = "https://example.com/a%3A%2f%3F%40%21%24%27%28%29%2a%2C%3b?q=%20%25%2B%3D%26";
    let decoded = "https://example.com/a:/?@!$'()*,;?q=%20%25%2B%3D%26";
    let (sent, same) = (senders::hubspot_v3(url), senders::hubspot_v3(decoded));
    let sent = sent_by(&sent, "body");
    let verifier = Verifier::builder(same)
        .secret("k", Secret::new("c2VjcmV0").dangerously_accept_placeholder())
        .build()
        .unwrap();
    assert_outcome(&verifier, &sent, &Outcome::verified("k", b"body".to_vec()));
    let put = sent.to("PUT", &sent.target);
    assert_outcome(&verifier, &put, &Outcome::rejected(RejectionKind::SignatureMismatch));
}

fn fluent_verifier(scheme: Scheme) -> Verifier {
    let key = PublicKey::from_pem(&pem("rsa-1024-public.pem")).unwrap();
    Verifier::builder(scheme).public_key("k", key).build().unwrap()
}

/// Fluent always sends both signatures.
fn fluent_delivery() -> Delivery {
    let sign = |scheme| {
        let key = PrivateKey::from_pem(&pem("rsa-1024-private.pem")).unwrap();
        Signer::new(scheme, [key]).unwrap().headers(b"event", now()).unwrap()
    };
    Delivery::new([sign(senders::fluent()), sign(senders::fluent_legacy_md5())].concat(), "event")
}

#[test]
fn fluent_never_accepts_an_md5_signature() {
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

    // The MD5 signature in the header for SHA-512.
    let (_, md5) = md5_only.headers[0].clone();
    assert_outcome(
        &verifier,
        &both.with_signature(md5),
        &Outcome::rejected(RejectionKind::SignatureMismatch),
    );
}

#[test]
fn only_the_legacy_scheme_accepts_fluents_md5_signature() {
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
fn a_senders_delivery_is_rejected_by_every_other_senders_verifier() {
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
fn a_fingerprint_depends_on_the_content_and_not_on_how_the_signature_is_written() {
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
fn deliveries_signed_with_a_public_key_have_fingerprints_of_their_own() {
    for scheme in [senders::fluent(), senders::sendgrid(), senders::discord()] {
        let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
        let of = |body: &str| fingerprint(&verifier, &sent_by(&scheme, body));
        assert_ne!(of("body"), of("bode"), "{}", scheme.name());
    }
}

#[test]
fn a_fingerprint_shows_its_bytes_as_lower_case_hex() {
    let sent = hmac_delivery(senders::extend(), "secret", "body");
    let verified = verifier(senders::extend(), "secret").verify(&sent.headers, b"body", now()).unwrap();
    let fingerprint = verified.fingerprint();
    assert_eq!(fingerprint.to_string(), base16ct::lower::encode_string(fingerprint.as_bytes()));
}

#[test]
fn dropping_or_reordering_signatures_does_not_change_the_fingerprint() {
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
    let other = PublicKey::from_pem(&pem("rsa-2048-public.pem")).unwrap();
    let same = PublicKey::from_pem(&pem("rsa-1024-public.pem")).unwrap();
    let beside = Verifier::builder(senders::fluent())
        .public_key("other", other)
        .public_key("k", same)
        .build()
        .unwrap();
    assert_eq!(fingerprint(&alone, &both), fingerprint(&beside, &both));
}

#[test]
fn the_proof_holds_the_signed_timestamp() {
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
fn unsigned_headers_change_nothing_in_the_proof() {
    let verifier = verifier(senders::ewarehousing(), "secret");
    let sent = hmac_delivery(senders::ewarehousing(), "secret", "body");
    let proof =
        |delivery: &Delivery| format!("{:?}", verifier.verify(&delivery.headers, b"body", now()).unwrap());
    let varied = sent
        .with_header("X-Webhook-Id", "00000000-0000-4000-8000-000000000000")
        .with_header("X-Topic", "paid");
    assert_eq!(proof(&varied), proof(&sent));
}
