//! What holds of every explanation.

use countersign::{Explainer, Hypothesis, Key, RejectionKind, Secret, Verifier, senders};
use proptest::prelude::*;

use crate::broken::{Broken, SECRET, now};

#[test]
fn a_good_delivery_is_explained_as_verified() {
    let explanation = Broken::default().explain();
    assert!(explanation.rejection().is_none());
    assert_eq!(explanation.to_string(), "verified\n  key: ours");
}

#[test]
fn the_guide_shows_what_is_printed() {
    let verifier =
        Verifier::builder(senders::shopify()).secret("2026-q4", Secret::new(SECRET)).build().unwrap();
    let headers = Broken::body(r#"{"id": 1}"#, "").headers();
    let explainer = Explainer::new(&verifier).secret("2026-q4", Secret::new(SECRET));
    let printed = explainer.explain(&headers, br#"{"id":1}"#, now()).to_string();
    let page = include_str!("../../docs/explaining.md");
    assert!(page.contains(&format!("```text\n{printed}\n```")), "{printed}");
}

#[test]
fn a_signature_by_a_stranger_is_unknown_and_nothing_is_proven() {
    let explanation = Broken::secret("a stranger's", SECRET).explain();
    assert_eq!(explanation.causes().len(), 1);
    assert_eq!(explanation.causes()[0].hypothesis(), Hypothesis::Unknown);
    assert!(!explanation.is_proven() && explanation.is_complete());
}

#[test]
fn without_a_key_the_explanation_asks_for_one() {
    let verifier =
        Verifier::builder(senders::shopify()).secret("ours", Secret::new("other")).build().unwrap();
    let headers = Broken::default().headers();
    let explanation = Explainer::new(&verifier).explain(&headers, b"{}", now());
    assert_eq!(explanation.causes()[0].hypothesis(), Hypothesis::NoKeyGiven);
}

#[test]
fn an_expired_key_is_named_with_what_to_do() {
    let secret = || Secret::new(SECRET);
    let key = Key::secret("old", secret()).expires_at(now());
    let verifier =
        Verifier::builder(senders::shopify()).key(key).secret("new", Secret::new("new")).build().unwrap();
    let broken = Broken::default();
    let explanation =
        Explainer::new(&verifier).secret("old", secret()).explain(&broken.headers(), &broken.arrived, now());
    assert_eq!(explanation.rejection().unwrap().kind(), RejectionKind::KeyExpired);
    assert_eq!(explanation.key().unwrap().as_str(), "old");
    assert!(explanation.to_string().contains("have the sender use the new key"), "{explanation}");
}

#[test]
fn the_header_of_another_sender_is_named_without_a_matching_key() {
    let broken = Broken {
        sender_secret: b"a stranger's".to_vec(),
        ..Broken::scheme(senders::stripe(), senders::shopify())
    };
    let explanation = broken.explain();
    assert_eq!(explanation.causes()[0].hypothesis(), Hypothesis::AnotherSender);
    assert_eq!(explanation.causes()[0].about(), Some("stripe"));
    assert!(!explanation.is_proven());
}

#[test]
fn each_sender_that_shares_a_secret_is_explained_when_its_body_is_rewritten() {
    let body = br#"{"id": 1}"#;
    let mut explained = 0;
    for name in senders::names() {
        let Ok(scheme) =
            senders::named(name, None).or_else(|_| senders::named(name, Some("https://a.test/hooks")))
        else {
            continue;
        };
        if scheme.algorithm().as_str().starts_with("hmac") && !name.starts_with("twilio") {
            let signed_headers = match scheme.header_name() {
                "webhook-signature" => vec![("webhook-id", "msg_1")],
                "svix-signature" => vec![("svix-id", "msg_1")],
                _ => Vec::new(),
            };
            let broken =
                Broken { arrived: br#"{"id":1}"#.to_vec(), signed_headers, ..Broken::of(scheme, body) };
            broken.is_explained_by(name, Hypothesis::BodySpaced);
            explained += 1;
        }
    }
    assert!(explained >= 18, "{explained}");
}

#[test]
fn a_body_over_the_limit_is_not_rewritten() {
    let body = vec![b' '; (1 << 20) - 8];
    let signed = [b"[1]", body.as_slice(), b"\n\n\n\n\n\n"].concat();
    let explanation = Broken::body(b"[1]", signed).explain();
    assert!(!explanation.is_proven(), "{explanation}");
}

#[test]
fn the_largest_body_uses_up_the_budget_and_the_explanation_says_so() {
    let body = vec![b'a'; 1 << 20];
    let explanation = Broken::body(b"other", body).explain();
    assert!(!explanation.is_complete());
    assert!(explanation.to_string().ends_with("not every hypothesis was tried: the body is too large"));
}

#[test]
fn nesting_and_indentation_that_explode_are_bounded() {
    let deep = ["[".repeat(60), "1,".repeat(100_000), "1".to_owned(), "]".repeat(60)].concat();
    let deeper = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    for body in [deep, deeper] {
        let explanation = Broken::body(b"other", body).explain();
        assert!(!explanation.is_proven());
    }
}

#[test]
fn every_hypothesis_has_a_name_of_its_own_and_says_what_to_do() {
    let mut names: Vec<_> = Hypothesis::ALL.iter().map(|hypothesis| hypothesis.as_str()).collect();
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())));
    assert!(Hypothesis::ALL.iter().all(|hypothesis| hypothesis.to_string().contains(": ")));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Hypothesis::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics_and_no_secret_is_shown(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        signature in "[ -~]{0,60}",
        target in "/[ -~]{0,20}",
        secret in "[a-z0-9]{12,40}",
    ) {
        for scheme in [senders::shopify(), senders::stripe(), senders::twilio_form("https://a.test/x")] {
            let name = scheme.header_name().to_owned();
            let verifier = Verifier::builder(scheme).secret("k", Secret::new(secret.as_str())).build().unwrap();
            let explainer = Explainer::new(&verifier).secret("k", Secret::new(secret.as_str()));
            let headers = [(name, signature.clone()), ("X-Original-URI".to_owned(), target.clone())];
            let explanation = explainer.explain(&headers, &body, now());
            let shown = format!("{explanation}{explanation:?}{explainer:?}");
            prop_assert!(!shown.contains(&secret));
            prop_assert!(explanation.rejection().is_some());
        }
    }

    #[test]
    fn the_right_signature_is_never_shown(body in "[a-z{}\":,]{1,60}", secret in "[a-zA-Z0-9]{12,40}") {
        let right = Broken { sender_secret: secret.clone().into(), ..Broken::body(body.as_str(), "") }.headers();
        let broken = Broken { sender_secret: b"wrong".to_vec(), held_secret: secret.clone().into(), ..Broken::body(body.as_str(), body.as_str()) };
        let explanation = broken.explain();
        let shown = format!("{explanation}{explanation:?}");
        prop_assert!(!shown.contains(right[0].1.as_str()) && !shown.contains(&secret));
    }
}
