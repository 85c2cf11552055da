//! What the core measures, in both frameworks: the set-up chooses every label, and no request adds one.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{App, dev::Service, web};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::{BodyBudget, Key, Rotating, Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::VerifyWebhookLayer;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tower::ServiceExt;

use crate::harness::{
    Delivery, SURFACES, Slow, actix_request_with, block_on, hmac_delivery, now, request, verifier,
};

/// Everything measured since the last call, by metric and labels. A duration is only counted.
fn measured(snapshotter: &Snapshotter) -> BTreeMap<String, String> {
    let entries = snapshotter.snapshot().into_vec().into_iter();
    entries
        .map(|(key, _, _, value)| {
            let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
            let labels = labels.collect::<Vec<_>>().join(",");
            let name = key.key().name();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(values) if name.ends_with("_seconds") => {
                    assert!(values.iter().all(|value| (0.0..60.0).contains(&value.0)), "{name}: {values:?}");
                    format!("{} durations", values.len())
                }
                DebugValue::Histogram(values) => format!("{values:?}"),
            };
            (format!("{}{{{labels}}}", name.trim_start_matches("countersign_")), value)
        })
        .collect()
}

fn record<T>(run: impl FnOnce(&Snapshotter) -> T) -> T {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || run(&snapshotter))
}

#[test]
fn deliveries_keys_and_bodies_are_measured_on_every_surface() {
    let long_ago = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for surface in SURFACES {
        let verifier = Verifier::builder(senders::moduslink())
            .key(Key::secret("old", Secret::new("old")).expires_at(long_ago))
            .secret("new", Secret::new("new"))
            .secret("spare", Secret::new("spare"))
            .build()
            .unwrap();
        let signed = |secret, body: &str| hmac_delivery(senders::moduslink(), secret, body);
        let forged = signed("forged", "four").with_header("x-sender", "forged");
        let deliveries = [
            signed("new", "an order"),
            signed("new", ""),
            signed("old", "old"),
            forged,
            Delivery::new([], "unsigned"),
        ];
        let mut measured = record(|snapshotter| {
            for delivery in &deliveries {
                (surface.deliver)(&verifier, delivery);
            }
            measured(snapshotter)
        });
        // By the clock of this moment.
        for name in [
            "key_last_matched_timestamp_seconds{sender=moduslink,key=old}",
            "key_last_matched_timestamp_seconds{sender=moduslink,key=new}",
            "key_last_needed_timestamp_seconds{sender=moduslink,key=new}",
        ] {
            let value: u64 = measured.remove(name).unwrap().parse().unwrap();
            let age = now().duration_since(UNIX_EPOCH + Duration::from_secs(value)).unwrap();
            assert!(age < Duration::from_secs(600), "{name}: {age:?}");
        }
        let wanted = [
            ("deliveries_verified_total{sender=moduslink,key=old}", "0"),
            ("deliveries_verified_total{sender=moduslink,key=new}", "2"),
            ("deliveries_verified_total{sender=moduslink,key=spare}", "0"),
            ("deliveries_rejected_total{sender=moduslink,reason=key_expired,key=old}", "1"),
            ("deliveries_rejected_total{sender=moduslink,reason=signature_mismatch,key=}", "1"),
            ("deliveries_rejected_total{sender=moduslink,reason=signature_missing,key=}", "1"),
            ("key_active{sender=moduslink,key=old}", "0"),
            ("key_active{sender=moduslink,key=new}", "1"),
            ("key_active{sender=moduslink,key=spare}", "1"),
            ("key_expires_timestamp_seconds{sender=moduslink,key=old}", "1700000000"),
            ("key_expires_timestamp_seconds{sender=moduslink,key=new}", "0"),
            ("key_expires_timestamp_seconds{sender=moduslink,key=spare}", "0"),
            ("key_last_matched_timestamp_seconds{sender=moduslink,key=spare}", "0"),
            ("key_last_needed_timestamp_seconds{sender=moduslink,key=old}", "0"),
            ("key_last_needed_timestamp_seconds{sender=moduslink,key=spare}", "0"),
        ];
        // Adapters receive bodies; the core only verifies them.
        let of_bodies = [
            ("bodies_in_flight{sender=moduslink}", "0"),
            ("body_size_bytes{sender=moduslink,verdict=verified}", "[8.0, 0.0]"),
            ("body_size_bytes{sender=moduslink,verdict=rejected}", "[3.0, 4.0]"),
            ("receiving_duration_seconds{sender=moduslink,verdict=verified}", "2 durations"),
            ("receiving_duration_seconds{sender=moduslink,verdict=rejected}", "2 durations"),
            ("verification_duration_seconds{sender=moduslink,verdict=verified}", "2 durations"),
            ("verification_duration_seconds{sender=moduslink,verdict=rejected}", "2 durations"),
        ];
        let of_bodies = if surface.name.starts_with("core") { &[][..] } else { &of_bodies };
        let wanted = wanted.iter().chain(of_bodies);
        let wanted = wanted.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(measured, wanted.collect(), "{}", surface.name);
    }
}

#[test]
fn the_gauges_of_keys_follow_the_clock_and_a_rotation() {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let of_keys = |snapshotter: &Snapshotter| -> Vec<(String, String)> {
        let gauges = measured(snapshotter).into_iter().filter(|(name, _)| name.starts_with("key_"));
        let short = |name: String| name.replace("{sender=moduslink,key=", " ").replace('}', "");
        gauges.map(|(name, value)| (short(name), value)).collect()
    };
    let wanted = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    record(|snapshotter| {
        let key = |id| Key::secret(id, Secret::new(id));
        let with = |keys: Vec<Key>| {
            let builder = Verifier::builder(senders::moduslink());
            keys.into_iter().fold(builder, countersign::VerifierBuilder::key).build().unwrap()
        };
        let rotating = Rotating::new(with(vec![key("a").not_before(at(1000)).expires_at(at(2000))]));
        let verify = |id: &str, seconds| {
            let delivery = hmac_delivery(senders::moduslink(), id, "an order");
            let _ = rotating.current().verify(&delivery.headers, b"an order", at(seconds)).unwrap();
        };
        let gauges = |active: &str, last: &str| {
            wanted(&[
                ("key_active a", active),
                ("key_expires_timestamp_seconds a", "2000"),
                ("key_last_matched_timestamp_seconds a", last),
                ("key_last_needed_timestamp_seconds a", last),
            ])
        };
        rotating.current().report_keys(at(999));
        assert_eq!(of_keys(snapshotter), gauges("0", "0"));
        // The first verification reports as well, and so does one a minute later.
        verify("a", 1940);
        assert_eq!(of_keys(snapshotter), gauges("1", "1940"));
        let unsigned = Delivery::new([], "unsigned");
        let _ = rotating.current().verify(&unsigned.headers, b"unsigned", at(1999)).unwrap_err();
        assert_eq!(of_keys(snapshotter), gauges("1", "1940"));
        let _ = rotating.current().verify(&unsigned.headers, b"unsigned", at(2000)).unwrap_err();
        assert_eq!(of_keys(snapshotter), gauges("0", "1940"));
        // What the verifier no longer holds is neither active nor about to expire.
        rotating.replace(with(vec![key("b")]));
        verify("b", 2001);
        let after = [
            ("key_active a", "0"),
            ("key_active b", "1"),
            ("key_expires_timestamp_seconds a", "0"),
            ("key_expires_timestamp_seconds b", "0"),
            ("key_last_matched_timestamp_seconds a", "1940"),
            ("key_last_matched_timestamp_seconds b", "2001"),
            ("key_last_needed_timestamp_seconds a", "1940"),
            ("key_last_needed_timestamp_seconds b", "2001"),
        ];
        assert_eq!(of_keys(snapshotter), wanted(&after));
    });
}

/// Polls a future once, and asserts that it waits for something.
async fn poll_pending<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|cx| Poll::Ready(assert!(future.as_mut().poll(cx).is_pending()))).await;
}

/// Asserts the gauges while a body of 12 bytes is received, and after its request ended in either way.
async fn assert_gauges<F: Future>(
    snapshotter: &Snapshotter,
    begin: impl Fn(Slow) -> F,
    status: impl Fn(F::Output) -> u16,
) {
    let gauges = || {
        let gauges = measured(snapshotter);
        [
            "bodies_in_flight{sender=moduslink}",
            "body_budget_bytes{budget=orders}",
            "body_budget_left_bytes{budget=orders}",
        ]
        .map(|name| gauges.get(name).cloned().unwrap_or_default())
    };
    for is_cancelled in [true, false] {
        let (chunks, body) = Slow::new();
        let mut sending = Box::pin(begin(body));
        poll_pending(sending.as_mut()).await;
        assert_eq!(gauges(), ["1", "100", "88"]);
        if is_cancelled {
            drop(sending);
        } else {
            chunks.try_send(Bytes::from("a whole body")).unwrap();
            drop(chunks);
            assert_eq!(status(sending.await), 200);
        }
        assert_eq!(gauges(), ["0", "100", "100"], "cancelled: {is_cancelled}");
    }
}

#[test]
fn bodies_in_flight_and_what_is_left_of_a_budget_are_gauges_in_both_frameworks() {
    let delivery =
        hmac_delivery(senders::moduslink(), "secret", "a whole body").with_header("content-length", "12");
    let verifier = verifier(senders::moduslink(), "secret");
    let budget = || BodyBudget::named("orders", 100);
    record(|snapshotter| {
        let layer = VerifyWebhookLayer::new(verifier.clone()).body_budget(budget());
        let app = Router::new().route("/", post(async || ())).layer(layer);
        let begin = |body| app.clone().oneshot(request(&delivery).map(|_| Body::new(body)));
        block_on(assert_gauges(snapshotter, begin, |response| response.unwrap().status().as_u16()));
    });
    record(|snapshotter| {
        let guard = VerifyWebhook::new(verifier.clone()).body_budget(budget());
        let handler = web::post().to(async || "");
        let app = App::new().service(web::resource("/").wrap(guard).route(handler));
        block_on(async {
            let app = actix_web::test::init_service(app).await;
            let begin = |body| app.call(actix_request_with(&delivery, body));
            // The answer is dropped, and with it the reservation.
            assert_gauges(snapshotter, begin, |response| response.unwrap().status().as_u16()).await;
        });
    });
}
