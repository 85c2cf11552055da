//! A key for each tenant, in both frameworks.

use std::{sync::Arc, time::Duration};

use countersign::{BuildError, RejectionKind, Secret, Verifier, senders};
use countersign_once::{MemoryStore, Once, Outcome};
use countersign_tenants::{NameFrom, Tenants};
use metrics_util::debugging::DebuggingRecorder;

use crate::{
    harness::{
        Delivery, hmac_delivery, now,
        once::{Setup, Work},
        tenants::{Shops, in_each, signed_by, to},
        verifier,
    },
    log::captured,
};

#[test]
fn a_delivery_passes_only_with_a_key_of_the_tenant_that_it_names() {
    let shops = Shops::of(&["a", "b"]);
    in_each(
        || shops.tenants(),
        async |receiver| {
            receiver.assert_runs(&to("a"), "a").await;
            receiver.assert_runs(&to("b").in_chunks_of(3), "b").await;
            let forged = signed_by("b").to("POST", "/webhooks/a");
            receiver.assert_rejects(&forged, RejectionKind::SignatureMismatch).await;
            receiver.assert_rejects(&to("c"), RejectionKind::TenantUnknown).await;
        },
    );
}

#[test]
fn an_unknown_tenant_is_answered_like_a_wrong_signature_whatever_else_is_wrong() {
    let shops = Shops::of(&["a"]);
    let wrong = signed_by("somebody");
    let unsigned = Delivery::new([], "an order");
    let deliveries = [
        wrong.clone(),
        unsigned,
        wrong.with_signature("*"),
        wrong.with_header("x-moduslink-hmac-sha256", "again"),
        wrong.with_header("content-length", "99999999"),
        wrong.with_header("content-length", "many"),
        wrong.with_body(vec![b'x'; (1 << 20) + 1]),
        wrong.in_chunks_of(1),
    ];
    in_each(
        || shops.tenants(),
        async |receiver| {
            for delivery in &deliveries {
                let known = receiver.receive(&delivery.to("POST", "/webhooks/a")).await;
                let unknown = receiver.receive(&delivery.to("POST", "/webhooks/z")).await;
                assert_eq!(
                    (known.status, &known.headers, &known.body),
                    (unknown.status, &unknown.headers, &unknown.body)
                );
                let unknown = unknown.kind.unwrap();
                match known.status {
                    401 => assert_eq!(unknown, RejectionKind::TenantUnknown),
                    _ => assert_eq!(unknown, known.kind.unwrap()),
                }
            }
        },
    );
}

#[test]
fn nobody_is_accepted_with_the_stand_ins_key() {
    let shops = Shops::of(&["a"]);
    let signed = hmac_delivery(senders::moduslink(), "nobody's", "an order");
    in_each(
        || shops.tenants(),
        async |receiver| {
            let to_unknown = signed.to("POST", "/webhooks/z");
            receiver.assert_rejects(&to_unknown, RejectionKind::TenantUnknown).await;
            receiver.assert_rejects(&signed.to("POST", "/"), RejectionKind::TenantUnnamed).await;
            let to_known = signed.to("POST", "/webhooks/a");
            receiver.assert_rejects(&to_known, RejectionKind::SignatureMismatch).await;
        },
    );
}

#[test]
fn a_path_names_the_tenant_as_its_pattern_says() {
    let shops = Shops::of(&["a", "a b", "ä", &"n".repeat(128)]);
    in_each(
        || shops.tenants(),
        async |receiver| {
            for (path, name) in [
                ("/webhooks/a?b=c", "a"),
                ("/webhooks/a%20b", "a b"),
                ("/webhooks/%C3%A4", "ä"),
                (&format!("/webhooks/{}", "n".repeat(128)), &"n".repeat(128)),
                (&format!("/webhooks/{}", "%6e".repeat(128)), &"n".repeat(128)),
            ] {
                receiver.assert_runs(&signed_by(name).to("POST", path), name).await;
            }
            for path in [
                "/",
                "/webhooks/",
                "/webhooks/a/",
                "/webhooks/a/b",
                "/other/a",
                "/webhooks/%ff",
                "/webhooks/a%00",
                "/webhooks/a%0ab",
                &format!("/webhooks/{}", "n".repeat(129)),
                &format!("/webhooks/{}", "%6e".repeat(129)),
            ] {
                let unnamed = signed_by("a").to("POST", path);
                receiver.assert_rejects(&unnamed, RejectionKind::TenantUnnamed).await;
            }
        },
    );
}

#[test]
fn a_header_names_the_tenant_if_it_is_there_once() {
    let shops = Shops::of(&["a", "b"]);
    in_each(
        || shops.named(NameFrom::header("X-Shop")).build().unwrap(),
        async |receiver| {
            let signed = signed_by("a");
            receiver.assert_runs(&signed.with_header("x-shop", "a"), "a").await;
            for unnamed in [
                signed.clone(),
                signed.with_header("x-shop", ""),
                signed.with_header("x-shop", b"\xff"),
                signed.with_header("x-shop", "a").with_header("x-shop", "a"),
                signed.with_header("x-shop", "a").with_header("x-shop", "b"),
            ] {
                receiver.assert_rejects(&unnamed, RejectionKind::TenantUnnamed).await;
            }
        },
    );
}

#[test]
fn the_host_names_the_tenant_in_lower_case_and_without_its_port() {
    let shops = Shops::of(&["a.example.com"]);
    in_each(
        || shops.named(NameFrom::host()).build().unwrap(),
        async |receiver| {
            let signed = signed_by("a.example.com");
            // As HTTP/2 has it.
            let in_target = signed.to("POST", "https://a.example.com:8443/webhooks");
            for named in [
                signed.with_header("host", "a.example.com"),
                signed.with_header("host", "A.Example.com:443"),
                in_target.clone(),
                in_target.with_header("host", "A.example.com:8443"),
            ] {
                receiver.assert_runs(&named, "a.example.com").await;
            }
            for unnamed in [
                signed.clone(),
                signed.with_header("host", "a.example.com").with_header("host", "a.example.com"),
                signed.with_header("host", "user@a.example.com"),
                signed.with_header("host", "a.example.com/"),
                in_target.with_header("host", "b.example.com:8443"),
            ] {
                receiver.assert_rejects(&unnamed, RejectionKind::TenantUnnamed).await;
            }
        },
    );
}

#[test]
fn a_mistake_in_the_set_up_is_an_error_at_start_up() {
    let shops = Shops::default();
    let built = |name| shops.named(name).build().map(drop).map_err(|error| error.to_string());
    let message = |name| built(name).unwrap_err();
    assert_eq!(
        message(NameFrom::path("/webhooks/{shop}")),
        "the path \"/webhooks/{shop}\" is not a pattern such as \"/webhooks/{tenant}\": it has no {tenant}"
    );
    assert!(
        message(NameFrom::path("/webhooks/{tenant")).starts_with("the path \"/webhooks/{tenant\" is not a")
    );
    assert_eq!(message(NameFrom::header("x shop")), "\"x shop\" is not a header's name");
    let builder = || shops.after(async || Ok(()));
    for (builder, message) in [
        (
            builder().lookup_timeout(Duration::ZERO),
            "the setting `lookup_timeout` is zero: nothing could be looked up",
        ),
        (
            builder().concurrent_lookups(0),
            "the setting `concurrent_lookups` is zero: nothing could be looked up",
        ),
        (builder().concurrent_lookups(usize::MAX), "the setting `concurrent_lookups` is too large"),
        (builder().longest_name(0), "the setting `longest_name` is zero: nothing could be looked up"),
        (builder().ttl(Duration::MAX), "the setting `ttl` is longer than a year"),
        (builder().failure_ttl(Duration::MAX), "the setting `failure_ttl` is longer than a year"),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), message);
    }
    assert!(builder().concurrent_lookups(tokio::sync::Semaphore::MAX_PERMITS).build().is_ok());
}

#[test]
fn a_handler_that_takes_the_tenant_never_runs_under_a_guard_without_tenants() {
    let log = captured(|| {
        in_each(
            || verifier(senders::moduslink(), "the secret of a"),
            async |receiver| {
                let seen = receiver.receive(&to("a")).await;
                assert_eq!((seen.status, &*seen.body), (500, "internal server error\n"));
            },
        );
    });
    assert_eq!(log.matches("a handler takes `Tenant`").count(), 2, "{log}");
}

#[test]
fn tenants_of_one_sender_with_the_same_key_and_id_have_identities_of_their_own() {
    let extend = Verifier::builder(senders::extend()).secret("k", Secret::new("shared")).build().unwrap();
    let identity = |verifier: &Verifier, body: &str| {
        let delivery = hmac_delivery(senders::extend(), "shared", body);
        verifier.identify(&delivery.head(), body.as_bytes(), now()).unwrap().1.identity
    };
    for body in [r#"{"Id":"1"}"#, "no JSON"] {
        let of = |tenant: &str| identity(&extend.for_tenant(tenant), body);
        assert_ne!(of("a"), of("b"));
        assert_ne!(of("a"), identity(&extend, body));
        assert_eq!(of("a"), of("a"));
    }
    let retry = |attempt: u8| format!(r#"{{"Id":"1","Attempt":{attempt}}}"#);
    let of_a = extend.for_tenant("a");
    assert_eq!(identity(&of_a, &retry(1)), identity(&of_a, &retry(2)));
}

#[test]
fn a_delivery_to_one_tenant_is_no_duplicate_of_anothers() {
    // The same secret for all, so that the same delivery is good for both.
    let shared = verifier(senders::moduslink(), "shared");
    let resolver = move |_: Arc<str>| std::future::ready(Ok::<_, BuildError>(Some(shared.clone())));
    let stand_in = verifier(senders::moduslink(), "nobody's");
    let tenants = Tenants::builder(NameFrom::header("x-shop"), resolver, stand_in).build().unwrap();
    let work: Work = Arc::new(|| Box::pin(async { 200 }));
    Setup::new(tenants, work).in_each(
        || Once::new(MemoryStore::default()).unwrap(),
        async |receiver| {
            let signed = hmac_delivery(senders::moduslink(), "shared", "an order");
            for tenant in ["a", "b"] {
                let delivery = signed.with_header("x-shop", tenant);
                receiver.assert(&delivery, 200, Outcome::New).await;
                receiver.assert(&delivery, 200, Outcome::Duplicate).await;
            }
            assert_eq!(receiver.runs(), 2, "{}", receiver.framework);
        },
    );
}

#[test]
fn a_verifier_for_no_tenant_refuses_even_several_senders() {
    let verifiers = [verifier(senders::moduslink(), "secret"), verifier(senders::extend(), "secret")];
    let any = Verifier::any_of(verifiers).unwrap();
    let good = hmac_delivery(senders::moduslink(), "secret", "an order");
    let of = any.for_tenant("a");
    let verified = of.verify(&good.head(), b"an order", now()).unwrap();
    assert_eq!(verified.tenant(), Some("a"));
    let ambiguous = good.with_header("ms-signature", "sha256=00");
    assert_eq!(of.verify(&ambiguous.head(), b"", now()).unwrap_err().tenant(), Some("a"));
    let nobody = any.for_no_tenant(countersign::NoTenant::Unknown);
    for delivery in [&good, &ambiguous, &Delivery::new([], "an order")] {
        let rejection = nobody.verify(&delivery.head(), b"an order", now()).unwrap_err();
        assert_eq!((rejection.kind(), rejection.tenant()), (RejectionKind::TenantUnknown, None));
        assert!(rejection.sender().starts_with("moduslink"));
    }
}

#[test]
fn events_name_tenants_that_there_are_and_metrics_name_none() {
    let shops = Shops::of(&["shop-a"]);
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let log = metrics::with_local_recorder(&recorder, || {
        countersign_tenants::metrics::describe();
        captured(|| {
            in_each(
                || shops.tenants(),
                async |receiver| {
                    receiver.assert_runs(&to("shop-a"), "shop-a").await;
                    let forged = signed_by("nobody").to("POST", "/webhooks/shop-a");
                    receiver.assert_rejects(&forged, RejectionKind::SignatureMismatch).await;
                    let unknown = signed_by("evil").to("POST", "/webhooks/evil%22shop");
                    receiver.assert_rejects(&unknown, RejectionKind::TenantUnknown).await;
                },
            );
        })
    });
    let lines =
        |parts: &[&str]| log.lines().filter(|line| parts.iter().all(|part| line.contains(part))).count();
    assert_eq!(lines(&["DEBUG", "delivery verified", "tenant=\"shop-a\""]), 2, "{log}");
    assert_eq!(lines(&["WARN", "reason=\"signature_mismatch\"", "tenant=\"shop-a\""]), 2, "{log}");
    assert_eq!(lines(&["WARN", "there is no such tenant", "reason=\"tenant_unknown\""]), 2, "{log}");
    assert_eq!(lines(&["DEBUG", r#"no such webhook tenant tenant="evil\"shop""#]), 2, "{log}");
    assert_eq!(lines(&["WARN", "evil"]), 0, "{log}");
    let metrics = format!("{:?}", snapshotter.snapshot().into_vec());
    assert!(metrics.contains("countersign_tenants_lookup_duration_seconds"), "{metrics}");
    assert!(metrics.contains("Some(Seconds), Some(\"Lookups of a webhook tenant"), "{metrics}");
    assert!(metrics.contains("tenant_unknown"), "{metrics}");
    assert!(!metrics.contains("shop-a") && !metrics.contains("evil"), "{metrics}");
}
