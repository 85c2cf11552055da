//! In both frameworks, nothing is parsed and no handler runs before the verdict.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{App, dev::Service, web};
use axum::{Router, body::Body, routing::post};
use countersign::senders;
use countersign_actix::VerifyWebhook;
use countersign_tower::VerifyWebhookLayer;
use serde::{Deserialize, Deserializer};
use tower::ServiceExt;

use crate::harness::{Delivery, actix_request, block_on, hmac_delivery, request, verifier};

static PARSED: AtomicUsize = AtomicUsize::new(0);

/// Counts how often it is deserialized.
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PARSED.fetch_add(1, Ordering::Relaxed);
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

fn in_axum(app: Router, delivery: &Delivery) -> u16 {
    let guard = VerifyWebhookLayer::new(verifier(senders::moduslink(), "secret"));
    block_on(app.layer(guard).oneshot(request(delivery).map(Body::new))).unwrap().status().as_u16()
}

fn in_actix(route: actix_web::Route, delivery: &Delivery) -> u16 {
    let guard = VerifyWebhook::new(verifier(senders::moduslink(), "secret"));
    block_on(async {
        let app = App::new().wrap(guard).service(web::resource("/").route(route));
        let app = actix_web::test::init_service(app).await;
        app.call(actix_request(delivery)).await.unwrap().status().as_u16()
    })
}

#[test]
fn forged_json_is_401_and_never_parsed() {
    let json = |body: &str| {
        hmac_delivery(senders::moduslink(), "secret", body).with_header("content-type", "application/json")
    };
    let statuses = |delivery: &Delivery| {
        let by_axum = post(|_: axum::Json<Counted>| async {});
        let by_actix = web::post().to(|_: web::Json<Counted>| async { "" });
        (in_axum(Router::new().route("/", by_axum), delivery), in_actix(by_actix, delivery))
    };
    for body in [r#"{"a":1}"#, "{broken", "\u{feff}"] {
        let forged = json("signed").with_body(body);
        assert_eq!(statuses(&forged), (401, 401), "{body}");
    }
    assert_eq!(PARSED.load(Ordering::Relaxed), 0);
    assert_eq!(statuses(&json(r#"{"a":1}"#)), (200, 200));
    assert_eq!(PARSED.load(Ordering::Relaxed), 2);
}

#[test]
fn a_handler_without_extractors_is_guarded_too() {
    let runs = Arc::new(AtomicUsize::new(0));
    let statuses = |delivery: &Delivery| {
        let (by_axum, by_actix) = (Arc::clone(&runs), Arc::clone(&runs));
        let by_axum = post(async move || {
            by_axum.fetch_add(1, Ordering::Relaxed);
        });
        let by_actix = web::post().to(move || {
            by_actix.fetch_add(1, Ordering::Relaxed);
            std::future::ready("")
        });
        (in_axum(Router::new().route("/", by_axum), delivery), in_actix(by_actix, delivery))
    };
    let sent = hmac_delivery(senders::moduslink(), "secret", "body");
    assert_eq!(statuses(&sent.with_body("another")), (401, 401));
    assert_eq!(statuses(&Delivery::new([], "body")), (401, 401));
    assert_eq!(runs.load(Ordering::Relaxed), 0);
    assert_eq!(statuses(&sent), (200, 200));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}
