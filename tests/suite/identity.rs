//! Which delivery it is: the same for every attempt, for no other delivery, and from signed bytes only.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use countersign::{
    Algorithm, Identified, Identity, IdentitySource, Key, PublicKey, Scheme, Secret, Signer, Tolerance,
    Verifier, senders,
};
use sha2::{Digest, Sha256};

use crate::{
    config::read,
    harness::{Delivery, hmac_delivery, now, verifier},
    log::captured,
    schemes::acme,
    senders::{all, keys, pem},
};

const MINUTE: Duration = Duration::from_secs(60);

/// A delivery, a retry of it, and another delivery, as bodies that this sender could send.
fn bodies(sender: &str) -> [&'static str; 3] {
    match sender {
        "extend" => [
            r#"{"Id":"a1","Attempt":1,"Notifications":[{"Action":"OrderCreated"}]}"#,
            r#"{"Attempt":2,"Notifications":[{"Action":"OrderCreated"}],"Id":"a1"}"#,
            r#"{"Id":"a2","Attempt":1,"Notifications":[{"Action":"OrderCreated"}]}"#,
        ],
        "fluent" | "fluent-legacy-md5" | "stripe" | "discord" | "box-primary" | "box-secondary" => {
            [r#"{"id":"e1","type":"a"}"#, r#"{"type":"a","id":"\u00651"}"#, r#"{"id":"e2","type":"a"}"#]
        }
        "modern-dropship" => [
            r#"{"_id":"61a8","created":1}"#,
            r#"{"created":1,"_id":"61a8"}"#,
            r#"{"_id":"61a9","created":1}"#,
        ],
        "square" | "paddle" | "slack" => [
            r#"{"event_id":"Ev1","event":{"id":"x"}}"#,
            r#"{"event":{"id":"x"}, "event_id":"Ev1"}"#,
            r#"{"event_id":"Ev2","event":{"id":"x"}}"#,
        ],
        "linear" => [
            r#"{"action":"update","type":"Issue","data":{"id":"i1"},"createdAt":"2026-01-01T00:00:00.001Z","webhookId":"w1","webhookTimestamp":1}"#,
            r#"{"action":"update","type":"Issue","data":{"id":"i1"},"createdAt":"2026-01-01T00:00:00.001Z","webhookId":"w1","webhookTimestamp":2}"#,
            r#"{"action":"update","type":"Issue","data":{"id":"i1"},"createdAt":"2026-01-01T00:00:00.002Z","webhookId":"w1","webhookTimestamp":1}"#,
        ],
        "zendesk" => [
            r#"{"account_id":7,"id":"cbe4","zendesk_event_version":"2022-06-20","detail":{"id":"1"}}"#,
            r#"{"id":"cbe4","account_id":7,"detail":{"id":"1"},"zendesk_event_version":"2022-06-20"}"#,
            r#"{"account_id":8,"id":"cbe4","zendesk_event_version":"2022-06-20","detail":{"id":"1"}}"#,
        ],
        "twilio-form" => ["From=%2B1415&Body=a+b", "Body=a%20b&From=%2b1415", "From=%2B1415&Body=a+c"],
        "standard-webhooks" | "standard-webhooks-ed25519" | "svix" | "bigcommerce" => {
            [r#"{"attempt":1}"#, r#"{"attempt":2}"#, r#"{"attempt":1}"#]
        }
        _ => [r#"{"event":"a","n":1}"#, r#"{"event":"a","n":1}"#, r#"{"event":"a","n":2}"#],
    }
}

/// What a sender sends at this time.
fn sent(scheme: &Scheme, id: &str, body: &str, at: SystemTime) -> Delivery {
    let target = format!("/hook?bodySHA256={}", base16ct::lower::encode_string(&Sha256::digest(body)));
    let signer = Signer::new(scheme.clone(), [keys(scheme).0]).unwrap();
    let signer = signer.header("Webhook-Id", id).header("Svix-Id", id).request("POST", target.as_str());
    Delivery::new(signer.headers(body.as_bytes(), at).unwrap(), body).to("POST", &target)
}

fn identify(verifier: &Verifier, delivery: &Delivery, at: SystemTime) -> Identified {
    let body = delivery.body();
    let (verified, identified) = verifier.identify(&delivery.head(), &body, at).unwrap();
    // The same from a body that arrives in chunks.
    let mut buffered = verifier.begin_buffered(&delivery.head(), at).unwrap();
    for chunk in body.chunks(7) {
        buffered.update(Bytes::copy_from_slice(chunk)).unwrap();
    }
    let kept = buffered.finish().unwrap();
    assert_eq!(kept.identify(), identified);
    assert_eq!(kept.key(), verified.key());
    identified
}

/// A key of the same kind, with which nothing here is signed.
fn other_key(scheme: &Scheme) -> Key {
    let public = |name: &str| Key::public("other", PublicKey::from_pem(&pem(name)).unwrap());
    match scheme.algorithm() {
        Algorithm::RsaPkcs1Sha512 | Algorithm::LegacyRsaPkcs1Md5 => public("rsa-2048-public.pem"),
        Algorithm::EcdsaP256Sha256 => public("p256-1-public.pem"),
        Algorithm::Ed25519 => public("ed25519-1-public.pem"),
        _ => Key::secret("other", Secret::new("b3RoZXI=")),
    }
}

#[test]
fn every_senders_retry_has_the_identity_of_the_first_attempt_and_another_delivery_has_another() {
    let mut fallbacks = Vec::new();
    for scheme in all() {
        let name = scheme.name().to_owned();
        let [first, retry, other] = bodies(&name);
        let old = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
        let rotated =
            Verifier::builder(scheme.clone()).key(other_key(&scheme)).key(keys(&scheme).1).build().unwrap();
        let (start, later) = (now(), now() + 5 * MINUTE);
        let identified = identify(&old, &sent(&scheme, "msg_1", first, start), start);
        let again = identify(&rotated, &sent(&scheme, "msg_1", retry, later), later);
        assert_eq!(identified, again, "{name}");
        let another = identify(&old, &sent(&scheme, "msg_2", other, start), start);
        assert_ne!(identified.identity, another.identity, "{name}");
        fallbacks.extend(identified.fallback.map(|_| name));
    }
    assert!(fallbacks.is_empty(), "{fallbacks:?} found no id in their own samples");
}

#[test]
fn headers_that_no_signature_covers_do_not_change_an_identity() {
    let tempting = [
        "X-Webhook-Id",
        "X-GitHub-Delivery",
        "X-Shopify-Webhook-Id",
        "X-Shopify-Event-Id",
        "X-Shopify-Topic",
        "X-WC-Webhook-Delivery-ID",
        "Linear-Delivery",
        "Idempotency-Key",
        "X-Gitlab-Event-UUID",
        "X-Zendesk-Webhook-Invocation-Id",
        "BOX-DELIVERY-ID",
        "I-Twilio-Idempotency-Token",
        "X-Slack-Retry-Num",
        "x-zm-trackingid",
    ];
    for scheme in all() {
        let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
        let at = now();
        let delivery = sent(&scheme, "msg_1", bodies(scheme.name())[0], at);
        let plain = identify(&verifier, &delivery, at);
        for header in tempting {
            let varied = delivery.with_header(header, "00000000-0000-4000-8000-000000000000");
            assert_eq!(identify(&verifier, &varied, at), plain, "{} {header}", scheme.name());
            let refused = Verifier::builder(scheme.clone().identity(IdentitySource::signed_header(header)))
                .key(keys(&scheme).1)
                .build()
                .unwrap_err()
                .to_string();
            let message = format!(
                "scheme {:?}, identity: the content does not sign the header {header}, ",
                scheme.name()
            );
            assert!(refused.starts_with(&message), "{refused}");
        }
    }
}

#[test]
fn one_delivery_has_one_identity_under_both_signatures_of_its_sender_and_no_other_sender_has_it() {
    let body = r#"{"id":"1","Id":"1","_id":"1","event_id":"1"}"#;
    let mut by_identity = BTreeMap::<String, Vec<String>>::new();
    for scheme in all() {
        let scheme_name = scheme.name().to_owned();
        let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
        let at = now();
        let identity = identify(&verifier, &sent(&scheme, "1", body, at), at).identity;
        by_identity.entry(identity.to_string()).or_default().push(scheme_name);
    }
    let mut shared: Vec<Vec<String>> = by_identity.into_values().filter(|names| names.len() > 1).collect();
    shared.sort();
    assert_eq!(
        shared,
        [
            ["box-primary", "box-secondary"],
            ["fluent", "fluent-legacy-md5"],
            ["standard-webhooks", "standard-webhooks-ed25519"],
        ]
    );
}

/// The documentation's table, beside the values.
#[test]
fn the_documented_identities_and_horizons_are_those_of_the_values() {
    let page = include_str!("../../crates/countersign/src/schemes/senders.rs");
    let (_, table) = page.split_once("| sender | identity | retry horizon |").unwrap();
    let rows: Vec<Vec<String>> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("//! |"))
        .map(|line| line.replace('`', "").split('|').skip(1).map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert_eq!(rows.len(), 30);
    for (scheme, row) in all().zip(&rows) {
        let minutes = scheme.retry_horizon().as_secs() / 60;
        let parts = [(minutes / 60, "h"), (minutes % 60, "min")];
        let parts =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}"));
        let horizon = parts.collect::<Vec<_>>().join(" ");
        assert_eq!(row[..3], [scheme.name().to_owned(), scheme.identity_source().to_string(), horizon]);
    }
}

fn framed(frames: &[&str]) -> Identity {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes.extend(u64::try_from(frame.len()).unwrap().to_be_bytes());
        bytes.extend(frame.as_bytes());
    }
    Identity::from_bytes(Sha256::digest(bytes).into())
}

#[test]
fn an_identity_is_the_documented_hash() {
    let at = now();
    let of = |scheme: Scheme, body: &str| {
        let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
        identify(&verifier, &sent(&scheme, "msg_1", body, at), at).identity
    };
    let head = "countersign identity 1";
    assert_eq!(
        of(senders::standard_webhooks(), "{}"),
        framed(&[head, "standard-webhooks", "header", "webhook-id", "msg_1"])
    );
    assert_eq!(
        of(senders::zendesk(), r#"{"id":"a","account_id":70,"zendesk_event_version":"v"}"#),
        framed(&[
            head,
            "zendesk",
            "fields",
            "/zendesk_event_version",
            "string",
            "v",
            "/account_id",
            "number",
            "70",
            "/id",
            "string",
            "a"
        ])
    );
    assert_eq!(of(senders::github(), "{}"), framed(&[head, "github", "body", "{}"]));
    assert_eq!(of(senders::stripe(), "{}"), framed(&[head, "stripe", "body", "{}"]));
    let shops = Verifier::builder(senders::github()).key(keys(&senders::github()).1).build().unwrap();
    let of_shop = identify(&shops.for_tenant("shop-7"), &sent(&senders::github(), "", "{}", at), at).identity;
    assert_eq!(of_shop, framed(&[head, "github", "tenant", "shop-7", "body", "{}"]));
    let form = senders::twilio_form("https://example.com/hook");
    assert_eq!(of(form, "b=2&a=1%20"), framed(&[head, "twilio-form", "form", "a1 b2"]));
    // python3: sha256(b"".join(len(f).to_bytes(8, "big") + f for f in frames)).hexdigest()
    assert_eq!(
        of(senders::github(), "{}").to_string(),
        "5aa92e7d4a78cb9dfdd5f199b73bc10c261943edcf3f9cd05daafce52fe1c097"
    );
}

#[test]
fn a_scope_of_ones_own_keeps_senders_of_one_scheme_apart() {
    let (delivery, at) = (hmac_delivery(senders::github(), "secret", "{}"), now());
    let of = |scheme: Scheme| identify(&verifier(scheme, "secret"), &delivery, at).identity;
    let scopes = ["paid", "updated", "github"].map(|scope| of(senders::github().identity_scope(scope)));
    assert_eq!(HashSet::from(scopes).len(), 3);
    assert_eq!(scopes[2], of(senders::github()));
}

/// HubSpot's documented exception: what its docs warn of.
#[test]
fn a_hubspot_retry_that_counts_its_attempts_is_another_delivery() {
    let scheme = senders::hubspot_v3("https://example.com/hook");
    let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
    let at = now();
    let of = |body| identify(&verifier, &sent(&scheme, "-", body, at), at).identity;
    assert_ne!(of(r#"[{"eventId":1,"attemptNumber":0}]"#), of(r#"[{"eventId":1,"attemptNumber":1}]"#));
}

#[test]
fn no_caller_can_vary_the_identity_of_a_captured_form() {
    let scheme = senders::twilio_form("https://example.com/hook");
    let verifier = Verifier::builder(scheme.clone()).key(keys(&scheme).1).build().unwrap();
    let at = now();
    let captured = sent(&scheme, "-", "To=1&Body=a+b&From=2", at);
    let identity = identify(&verifier, &captured, at).identity;
    for varied in [
        "From=2&Body=a%20b&To=1",
        "From=2&From=2&Body=a+b&To=1",
        "B=odya+b&Fr=om2&T=o1",
        "&To=1&&Body=a+b&From=2",
    ] {
        assert_eq!(identify(&verifier, &captured.with_body(varied), at).identity, identity, "{varied}");
    }
}

#[test]
fn a_body_without_its_field_is_logged_at_debug_with_sender_and_reason_and_nothing_of_the_body() {
    let delivery = hmac_delivery(senders::extend(), "secret", r#"{"id":"hush"}"#);
    let verifier = verifier(senders::extend(), "secret");
    let log = captured(|| drop(verifier.identify(&delivery.headers, br#"{"id":"hush"}"#, now()).unwrap()));
    let line = " DEBUG countersign: identity falls back to the body's digest: the body has no field /Id sender=\"extend\"";
    assert!(log.lines().any(|logged| logged.trim() == line.trim()), "{log}");
    assert!(!log.contains("hush"), "{log}");
    let complete = hmac_delivery(senders::extend(), "secret", r#"{"Id":"a"}"#);
    let log = captured(|| drop(verifier.identify(&complete.headers, br#"{"Id":"a"}"#, now()).unwrap()));
    assert!(!log.contains("identity"), "{log}");
}

#[test]
fn a_rejected_delivery_has_no_identity() {
    let delivery = hmac_delivery(senders::extend(), "secret", r#"{"Id":"a"}"#);
    let rejection =
        verifier(senders::extend(), "secret").identify(&delivery.headers, br#"{"Id":"b"}"#, now());
    assert_eq!(rejection.unwrap_err().kind(), countersign::RejectionKind::SignatureMismatch);
}

#[test]
fn an_identity_rests_on_what_is_signed_or_the_scheme_does_not_build() {
    let id = || IdentitySource::field("/id");
    let mistake = |scheme: Scheme| {
        Verifier::builder(scheme).secret("k", Secret::new("s")).build().unwrap_err().to_string()
    };
    for (scheme, message) in [
        (
            senders::gitlab_unsigned_token().identity(id()),
            "scheme \"gitlab-unsigned-token\", identity: a static token signs no field: use the digest",
        ),
        (
            senders::twilio_form("https://a.example").identity(id()),
            "scheme \"twilio-form\", identity: a form is not JSON: use the digest of its fields",
        ),
        (
            senders::github().identity(IdentitySource::field("id")),
            "scheme \"github\", identity: \"id\" is not a JSON pointer of 1 to 16 levels: write \"/id\" or \"/event/id\"",
        ),
        (
            senders::github().identity_scope(""),
            "scheme \"github\", identity_scope: it is empty: leave it out to use the scheme's name",
        ),
        (
            senders::github().with_retry_horizon(Duration::MAX),
            "scheme \"github\", retry_horizon: it is more than 366 days",
        ),
        // The timestamp and the signature are signed or checked, but are no signed headers of their own.
        (
            senders::slack().identity(IdentitySource::signed_header("X-Slack-Request-Timestamp")),
            "scheme \"slack\", identity: the content does not sign the header X-Slack-Request-Timestamp, so any caller could choose its value: name a signed one",
        ),
        (
            senders::github().identity(IdentitySource::signed_header("X-Hub-Signature-256")),
            "scheme \"github\", identity: the content does not sign the header X-Hub-Signature-256, so any caller could choose its value: name a signed one",
        ),
    ] {
        assert_eq!(mistake(scheme), message);
    }
    let built = acme().identity(IdentitySource::signed_header("X-Id")).build();
    assert!(
        built
            .unwrap_err()
            .to_string()
            .starts_with("scheme \"acme\", identity: the content does not sign the header X-Id")
    );
    let built =
        acme().identity(id()).identity_scope("a").retry_horizon(366 * 24 * 60 * MINUTE).build().unwrap();
    assert_eq!((built.identity_source(), built.retry_horizon()), (&id(), 366 * 24 * 60 * MINUTE));
    let twilio_json = senders::twilio_json("https://a.example").identity(id());
    assert!(Verifier::builder(twilio_json).secret("k", Secret::new("s")).build().is_ok());
}

#[test]
fn a_configuration_states_identities_and_horizons() {
    let scheme_of = |toml: &str| read(toml).map(|verifier| verifier.schemes().next().unwrap().clone());
    let named = |lines: &str| {
        scheme_of(&format!(
            "[[senders]]\nsender = \"standard-webhooks\"\nkeys = [{{ id = \"k\", secret = {{ insecure_inline = \"YW4gb3JkZXI=\" }} }}]\n{lines}"
        ))
    };
    let scheme = named("identity = { fields = [\"/a\", \"/b\"] }\nidentity_scope = \"openai\"\nretry_horizon = { seconds = 60 }").unwrap();
    assert_eq!(
        (scheme.identity_source(), scheme.retry_horizon()),
        (&IdentitySource::fields(["/a", "/b"]), MINUTE)
    );
    assert_eq!(*named("identity = \"digest\"").unwrap().identity_source(), IdentitySource::Digest);
    let header = IdentitySource::signed_header("Webhook-ID");
    assert_eq!(*named("identity = { header = \"Webhook-ID\" }").unwrap().identity_source(), header);
    let own = |lines: &str| {
        scheme_of(&format!(
            "[[senders]]\nkeys = [{{ id = \"k\", secret = {{ insecure_inline = \"s\" }} }}]\n[senders.scheme]\nname = \"acme\"\n\
             signature_header = \"X-Acme\"\n{lines}"
        ))
    };
    let signed = "encoding = \"hex\"\nalgorithm = \"hmac-sha256\"\n";
    let scheme =
        own(&format!("{signed}identity = {{ fields = [\"/id\"] }}\nretry_horizon = {{ seconds = 0 }}"))
            .unwrap();
    assert_eq!(
        (scheme.identity_source(), scheme.retry_horizon()),
        (&IdentitySource::field("/id"), Duration::ZERO)
    );
    let scheme =
        own("algorithm = \"unsigned-token\"\nidentity_scope = \"a\"\nretry_horizon = { seconds = 60 }")
            .unwrap();
    assert_eq!(scheme.retry_horizon(), MINUTE);

    let usage = "identity: use \"digest\", { header = \"NAME\" } or { fields = [\"/POINTER\"] }";
    let unsigned = "identity: the content does not sign the header X-Id, so any caller could choose its value: name a signed one";
    for (result, message) in [
        (named("identity = \"body\""), usage.to_owned()),
        (named("identity = { header = \"a\", fields = [\"/b\"] }"), usage.to_owned()),
        (named("identity = {}"), usage.to_owned()),
        (named("identity = { header = \"X-Id\" }"), format!("senders[0].identity: scheme \"standard-webhooks\", {unsigned}")),
        (named("identity_scope = \"\""), "senders[0].identity_scope: scheme \"standard-webhooks\", identity_scope: it is empty: leave it out to use the scheme's name".to_owned()),
        (named("retry_horizon = { seconds = 99999999 }"), "senders[0].retry_horizon: scheme \"standard-webhooks\", retry_horizon: it is more than 366 days".to_owned()),
        (named("retry_horizon = { days = 1 }"), "unknown field `days`, expected `seconds`".to_owned()),
        (own(&format!("{signed}identity = {{ header = \"X-Id\" }}")), format!("senders[0].scheme.{unsigned}")),
        (own("algorithm = \"unsigned-token\"\nidentity = \"digest\""), "senders[0].scheme.algorithm: a static token allows only `name`, `signature_header`, `identity_scope` and `retry_horizon`".to_owned()),
        (scheme_of(&format!("[[senders]]\nidentity = \"digest\"\nkeys = []\n[senders.scheme]\nname = \"a\"\nsignature_header = \"X\"\n{signed}")), "senders[0].identity: it applies only to a named sender: state it inside `scheme`".to_owned()),
    ] {
        assert_eq!(result.unwrap_err(), message);
    }
}

#[test]
fn a_tolerance_does_not_change_an_identity() {
    let scheme = senders::stripe().tolerance(Tolerance::dangerously_unlimited());
    let at = now();
    let delivery = hmac_delivery(senders::stripe(), "secret", r#"{"id":"e"}"#);
    let lax = identify(&verifier(scheme, "secret"), &delivery, at + 100 * MINUTE);
    assert_eq!(lax, identify(&verifier(senders::stripe(), "secret"), &delivery, at));
}
