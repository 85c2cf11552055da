//! Receivers, a stream and workers, with a real server.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use countersign::{Secret, Signer, Verifier, senders};
use jetstream_receiver::{Deliveries, Delivery, Worker, router};
use receiver_setup::Endpoint;
use test_servers::Nats;
use tower::ServiceExt;

const PATH: &str = "/webhooks/moduslink";

fn verifier() -> Verifier {
    Verifier::builder(senders::moduslink())
        .secret("key", Secret::new("test").dangerously_accept_placeholder())
        .build()
        .unwrap()
}

async fn deliveries(nats: &Nats) -> Deliveries {
    Deliveries::open(&nats.url(), Duration::from_secs(3600), 1).await.unwrap()
}

fn app(deliveries: Deliveries) -> Router {
    router(deliveries, vec![Endpoint { path: PATH, verifier: verifier() }]).unwrap()
}

/// The status of the answer to a delivery with this body.
async fn send(app: &Router, body: &str) -> StatusCode {
    let signer = Signer::new(senders::moduslink(), [Secret::new("test")]).unwrap();
    let mut request = Request::post(PATH);
    for (name, value) in signer.headers(body.as_bytes(), SystemTime::now()).unwrap() {
        request = request.header(name, value);
    }
    app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap().status()
}

/// Works until all of `wanted` have been handled, and returns the bodies and how often each was handled.
async fn work(
    deliveries: Deliveries,
    wanted: &[impl AsRef<str>],
    fails: fn(&Delivery) -> bool,
) -> HashMap<String, usize> {
    let handled = Arc::new(Mutex::new(HashMap::new()));
    let worker = Worker::join(deliveries).await.unwrap();
    let handler = {
        let handled = Arc::clone(&handled);
        move |delivery: Delivery| {
            let handled = Arc::clone(&handled);
            async move {
                if fails(&delivery) {
                    return Err("as it was told to".into());
                }
                let body = String::from_utf8(delivery.body().to_vec()).unwrap();
                *handled.lock().unwrap().entry(body).or_insert(0) += 1;
                Ok(())
            }
        }
    };
    let enough = async {
        while !wanted.iter().all(|body| handled.lock().unwrap().contains_key(body.as_ref())) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // A second run of a handler would come now.
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    tokio::select! {
        worked = worker.run(handler) => worked.unwrap(),
        done = tokio::time::timeout(Duration::from_secs(120), enough) => done.unwrap(),
    }
    handled.lock().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_answered_200_and_handled_once() {
    let Some(nats) = Nats::start() else { return };
    let deliveries = deliveries(&nats).await;
    let app = app(deliveries.clone());
    for body in ["a", "b", "a", "a"] {
        assert_eq!(send(&app, body).await, StatusCode::OK);
    }
    let handled = work(deliveries, &["a", "b"], |_| false).await;
    assert_eq!(handled, HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_delivery_is_401_and_not_published() {
    let Some(nats) = Nats::start() else { return };
    let deliveries = deliveries(&nats).await;
    let app = app(deliveries.clone());
    let forged =
        Request::post(PATH).header("x-moduslink-hmac-sha256", "AAAA").body(Body::from("forged")).unwrap();
    assert_eq!(app.clone().oneshot(forged).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(&app, "good").await, StatusCode::OK);
    assert_eq!(work(deliveries, &["good"], |_| false).await, HashMap::from([("good".to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_fails_is_tried_again() {
    let Some(nats) = Nats::start() else { return };
    let deliveries = deliveries(&nats).await;
    assert_eq!(send(&app(deliveries.clone()), "retry").await, StatusCode::OK);
    let handled = work(deliveries, &["retry"], |delivery| delivery.attempt() == 1).await;
    assert_eq!(handled, HashMap::from([("retry".to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_load_has_everything_that_was_answered_200() {
    let Some(mut nats) = Nats::start() else { return };
    let deliveries = deliveries(&nats).await;
    let app = app(deliveries.clone());
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for round in 0..2 {
        for number in 0..100 {
            let body = format!("{round}/{number}");
            if number == 50 {
                nats.kill();
            }
            match send(&app, &body).await {
                StatusCode::OK => acknowledged.push(body.clone()),
                StatusCode::SERVICE_UNAVAILABLE => refused += 1,
                other => assert_eq!(other, StatusCode::OK),
            }
            if number == 50 {
                nats.restart();
                let began = Instant::now();
                while send(&app, &body).await != StatusCode::OK {
                    assert!(began.elapsed() < Duration::from_secs(60), "it never comes back");
                }
                acknowledged.push(body);
            }
        }
    }
    assert!(refused >= 2, "a delivery that arrives while the server is away is refused: {refused}");
    let handled = work(deliveries, &acknowledged, |_| false).await;
    for body in &acknowledged {
        assert_eq!(handled.get(body), Some(&1), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_limit_that_the_server_does_not_take_is_an_error_at_start_up() {
    let Some(nats) = Nats::start() else { return };
    let large = Verifier::builder(senders::moduslink())
        .secret("key", Secret::new("test").dangerously_accept_placeholder())
        .body_limit(9 << 20);
    let endpoint = Endpoint { path: PATH, verifier: large.build().unwrap() };
    let refused = router(deliveries(&nats).await, vec![endpoint]).unwrap_err();
    assert!(refused.to_string().contains("max_payload"), "{refused}");
}
