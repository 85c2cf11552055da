//! Keys that are replaced while a guard runs, in both frameworks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use actix_web::{App, dev::Service, web};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::{BuildError, Rotating, Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::{Verified, VerifyWebhookLayer};
use tower::ServiceExt;

use crate::harness::{Slow, actix_request, block_on, hmac_delivery, request};

fn with(secrets: &[&'static str]) -> Verifier {
    let builder = Verifier::builder(senders::moduslink());
    let verifier: Result<_, BuildError> = secrets
        .iter()
        .fold(builder, |builder, secret| {
            builder.secret(*secret, Secret::new(*secret).dangerously_accept_placeholder())
        })
        .build();
    verifier.unwrap()
}

fn axum_app(verifier: &Rotating) -> Router {
    let handler = async |verified: Verified| verified.key().to_string();
    Router::new().route("/", post(handler)).layer(VerifyWebhookLayer::new(verifier.clone()))
}

async fn in_axum(app: &Router, secret: &str) -> u16 {
    let delivery = hmac_delivery(senders::moduslink(), secret, "an order");
    app.clone().oneshot(request(&delivery).map(Body::new)).await.unwrap().status().as_u16()
}

/// The statuses of deliveries that these secrets signed, each after the keys were replaced by those beside it.
fn in_actix(verifier: &Rotating, steps: &[(&[&'static str], &str)]) -> Vec<u16> {
    block_on(async {
        let handler = async |verified: countersign_actix::Verified| verified.key().to_string();
        let resource =
            web::resource("/").route(web::post().to(handler)).wrap(VerifyWebhook::new(verifier.clone()));
        let app = actix_web::test::init_service(App::new().service(resource)).await;
        let mut statuses = Vec::new();
        for (keys, secret) in steps {
            verifier.replace(with(keys));
            let delivery = hmac_delivery(senders::moduslink(), secret, "an order");
            statuses.push(app.call(actix_request(&delivery)).await.unwrap().status().as_u16());
        }
        statuses
    })
}

#[test]
fn a_guard_uses_the_keys_of_the_moment() {
    let steps: [(&[&str], &str); 5] = [
        (&["old"], "old"),
        (&["old"], "new"),
        (&["old", "new"], "new"),
        (&["old", "new"], "old"),
        (&["new"], "old"),
    ];
    let expected = [200, 401, 200, 200, 401];
    let verifier = Rotating::new(with(&["first"]));
    assert_eq!(in_actix(&verifier, &steps), expected);
    let app = axum_app(&verifier);
    let statuses: Vec<_> = block_on(async {
        let mut statuses = Vec::new();
        for (keys, secret) in steps {
            verifier.replace(with(keys));
            statuses.push(in_axum(&app, secret).await);
        }
        statuses
    });
    assert_eq!(statuses, expected);
}

#[test]
fn another_scheme_with_other_headers_can_take_over() {
    let verifier = Rotating::new(with(&["secret"]));
    let app = axum_app(&verifier);
    let extend = Verifier::builder(senders::extend())
        .secret("key", Secret::new("secret").dangerously_accept_placeholder())
        .build()
        .unwrap();
    verifier.replace(extend);
    let delivery = hmac_delivery(senders::extend(), "secret", "an order");
    let response = block_on(app.oneshot(request(&delivery).map(Body::new))).unwrap();
    assert_eq!(response.status(), 200);
}

#[test]
fn a_verification_that_has_begun_ends_with_the_keys_that_it_began_with() {
    block_on(async {
        let verifier = Rotating::new(with(&["old"]));
        let app = axum_app(&verifier);
        let (chunks, body) = Slow::new();
        let delivery = hmac_delivery(senders::moduslink(), "old", "an order");
        let begun = tokio::spawn(app.clone().oneshot(request(&delivery).map(|_| Body::new(body))));
        chunks.send(Bytes::from("an ")).await.unwrap();
        // Taken out of the channel: the verification has begun.
        while chunks.capacity() == 0 {
            tokio::task::yield_now().await;
        }
        verifier.replace(with(&["new"]));
        assert_eq!(in_axum(&app, "old").await, 401);
        chunks.send(Bytes::from("order")).await.unwrap();
        drop(chunks);
        assert_eq!(begun.await.unwrap().unwrap().status(), 200);
    });
}

#[test]
fn a_thousand_rotations_under_load_refuse_no_good_delivery_and_take_no_forged_one() {
    let verifier = Rotating::new(with(&["old", "new"]));
    let app = axum_app(&verifier);
    let stop = Arc::new(AtomicBool::new(false));
    let rotation = thread::spawn({
        let (verifier, stop) = (verifier.clone(), Arc::clone(&stop));
        move || {
            for round in 0..1000 {
                // Every verifier has one of the two, and each sender signs with the one that stays.
                verifier.replace(if round % 2 == 0 {
                    with(&["new", "stays"])
                } else {
                    with(&["stays", "old"])
                });
            }
            stop.store(true, Ordering::Release);
        }
    });
    verifier.replace(with(&["stays"]));
    let mut sent = 0;
    block_on(async {
        while !stop.load(Ordering::Acquire) || sent < 100 {
            assert_eq!(in_axum(&app, "stays").await, 200);
            assert_eq!(in_axum(&app, "forged").await, 401);
            sent += 1;
        }
    });
    rotation.join().unwrap();
}
