//! One endpoint for several senders: the signature header identifies the sender, and two such headers are ambiguous.

use countersign::{
    Algorithm, BuildError, Encoding, RejectionKind, Scheme, Secret, Signer, Verifier, senders,
};

use crate::harness::{Delivery, Outcome, assert_outcome, hmac_delivery, now, verifier};

type Make = fn() -> Scheme;

const SECRETS: [(Make, &str); 3] =
    [(senders::shopify, "shop"), (senders::stripe, "whsec_stripe"), (senders::github, "hub")];

fn verifiers() -> Vec<Verifier> {
    SECRETS.iter().map(|(scheme, secret)| verifier(scheme(), secret)).collect()
}

fn verified() -> Outcome {
    Outcome::verified("k", b"body".to_vec())
}

#[test]
fn a_delivery_is_verified_for_the_sender_whose_header_it_carries() {
    let any = Verifier::any_of(verifiers()).unwrap();
    for (scheme, secret) in SECRETS {
        let sent = hmac_delivery(scheme(), secret, "body");
        assert_outcome(&any, &sent, &verified());
        let proof = any.verify(&sent.headers, b"body", now()).unwrap();
        assert_eq!(proof.scheme().name(), scheme().name());
        assert_outcome(&any, &sent.with_body("bodz"), &Outcome::rejected(RejectionKind::SignatureMismatch));
    }
}

#[test]
fn a_signature_under_another_senders_header_is_rejected() {
    let any = Verifier::any_of(verifiers()).unwrap();
    // Both senders sign the body with an HMAC; only the header and the encoding differ.
    let shopify = hmac_delivery(senders::shopify(), "hub", "body");
    assert_outcome(&any, &shopify, &Outcome::rejected(RejectionKind::SignatureMismatch));
}

#[test]
fn two_senders_headers_are_rejected_unless_the_verifier_takes_the_first() {
    let [shopify, stripe] = [0, 1].map(|place: usize| {
        let (scheme, secret) = SECRETS[place];
        hmac_delivery(scheme(), secret, "body")
    });
    let both =
        Delivery { headers: [stripe.headers.clone(), shopify.headers.clone()].concat(), ..shopify.clone() };
    let ambiguous = Outcome::rejected(RejectionKind::SenderAmbiguous);
    assert_outcome(&Verifier::any_of(verifiers()).unwrap(), &both, &ambiguous);
    let first = Verifier::first_of(verifiers()).unwrap();
    assert_outcome(&first, &both, &verified());
    assert_eq!(first.verify(&both.headers, b"body", now()).unwrap().scheme().name(), "shopify");

    // The first sender whose header is present decides, even if its signature is wrong and the next one is valid.
    let mut wrong = both.clone();
    wrong.headers[1].1 = hmac_delivery(senders::shopify(), "other", "body").headers[0].1.clone();
    assert_outcome(&first, &wrong, &Outcome::rejected(RejectionKind::SignatureMismatch));
    let mut malformed = both;
    malformed.headers[1].1 = b"?".to_vec();
    assert_outcome(&first, &malformed, &Outcome::rejected(RejectionKind::SignatureLength));
    assert_outcome(&Verifier::any_of(verifiers()).unwrap(), &malformed, &ambiguous);
}

#[test]
fn a_missing_or_repeated_header_is_reported_with_the_senders_names() {
    let any = Verifier::any_of(verifiers()).unwrap();
    let unsigned = Delivery::new([], "body");
    assert_outcome(&any, &unsigned, &Outcome::rejected(RejectionKind::SignatureMissing));
    let rejection = any.verify(&unsigned.headers, b"body", now()).unwrap_err();
    assert_eq!(rejection.sender(), "shopify or stripe or github");
    assert!(rejection.scheme().is_none());
    assert_eq!(
        rejection.to_string(),
        "shopify or stripe or github (x-shopify-hmac-sha256 or stripe-signature or x-hub-signature-256): the header is \
         missing"
    );
    let sent = hmac_delivery(senders::github(), "hub", "body");
    let twice = sent.with_header("x-hub-signature-256", sent.signature());
    assert_outcome(&any, &twice, &Outcome::rejected(RejectionKind::SignatureRepeated));
    assert_eq!(any.verify(&twice.headers, b"body", now()).unwrap_err().sender(), "github");
}

#[test]
fn each_sender_keeps_its_own_body_limit() {
    let limited = |scheme: Scheme, secret: &str, limit| {
        Verifier::builder(scheme)
            .secret("k", Secret::new(secret).dangerously_accept_placeholder())
            .body_limit(limit)
            .build()
            .unwrap()
    };
    let small = limited(senders::shopify(), "shop", 3);
    let any = Verifier::any_of([small, limited(senders::github(), "hub", 4)]).unwrap();
    assert_eq!(any.body_limit(), 4);
    assert_outcome(&any, &hmac_delivery(senders::github(), "hub", "body"), &verified());
    let sent = hmac_delivery(senders::shopify(), "shop", "body");
    assert_outcome(&any, &sent, &Outcome::rejected(RejectionKind::BodyTooLarge));
}

#[test]
fn the_same_content_from_two_senders_has_two_fingerprints() {
    let fingerprint = |scheme: Scheme| {
        let sent = hmac_delivery(scheme.clone(), "same", "body");
        verifier(scheme, "same").verify(&sent.headers, b"body", now()).unwrap().fingerprint()
    };
    assert_ne!(fingerprint(senders::shopify()), fingerprint(senders::woocommerce()));
    assert_eq!(fingerprint(senders::shopify()), fingerprint(senders::shopify()));
}

#[test]
fn senders_with_the_same_header_do_not_build() {
    let same = Verifier::any_of([verifier(senders::github(), "a"), verifier(senders::meta(), "b")]);
    assert_eq!(
        same.unwrap_err().to_string(),
        "github and meta both send x-hub-signature-256, so their deliveries cannot be told apart: give each its own \
         endpoint"
    );
    assert_eq!(Verifier::any_of([]).unwrap_err(), BuildError::NoSender);
    // Nesting would lose what the inner verifier does with two headers.
    let several = Verifier::any_of(verifiers()).unwrap();
    assert_eq!(
        Verifier::first_of([several, verifier(senders::meta(), "b")]).unwrap_err().to_string(),
        "a verifier of shopify or stripe or github cannot be joined with others: list its senders one by one"
    );
}

#[test]
fn debug_output_names_senders_and_keys_but_no_secret() {
    let shown = format!("{:?}", Verifier::any_of(verifiers()).unwrap());
    for (scheme, secret) in SECRETS {
        assert!(shown.contains(scheme().name()), "{shown}");
        assert!(!shown.contains(secret) || scheme().name().contains(secret), "{shown}");
    }
}

#[test]
fn a_custom_scheme_works_beside_a_built_in_one() {
    let acme = Scheme::builder("acme")
        .signature_header("X-Acme-Signature")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
        .build()
        .unwrap();
    let any = Verifier::any_of([verifier(senders::stripe(), "s"), verifier(acme.clone(), "secret")]).unwrap();
    let headers = Signer::new(acme, [Secret::new("secret")]).unwrap().headers(b"body", now()).unwrap();
    assert_outcome(&any, &Delivery::new(headers, "body"), &verified());
}
