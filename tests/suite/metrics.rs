//! What the core measures, in both frameworks: the set-up chooses every label, and no request adds one.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    task::Poll,
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{App, dev::Service, web};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::{BodyBudget, Key, Rotating, Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::VerifyWebhookLayer;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
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

/// Runs with a recorder whose gauges keep their values.
fn scraped(run: impl FnOnce(&PrometheusHandle)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || run(&recorder.handle()));
}

/// The values of these series.
fn gauges<const N: usize>(handle: &PrometheusHandle, series: [&str; N]) -> [String; N] {
    let text = handle.render();
    series.map(|series| {
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or("none").to_owned()
    })
}

#[test]
fn the_gauges_of_keys_follow_the_clock_and_a_rotation() {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let key = |id| Key::secret(id, Secret::new(id));
    let with = |key: Key| Verifier::builder(senders::moduslink()).key(key).build().unwrap();
    scraped(|handle| {
        let of_key = |id: &str| {
            let names = [
                "active",
                "expires_timestamp_seconds",
                "last_matched_timestamp_seconds",
                "last_needed_timestamp_seconds",
            ];
            let series =
                names.map(|name| format!("countersign_key_{name}{{sender=\"moduslink\",key=\"{id}\"}}"));
            gauges(handle, series.each_ref().map(String::as_str))
        };
        let rotating = Rotating::new(with(key("a").not_before(at(1000)).expires_at(at(2000))));
        let verify = |id: &str, seconds| {
            let delivery = hmac_delivery(senders::moduslink(), id, "an order");
            rotating.current().verify(&delivery.headers, b"an order", at(seconds)).is_ok()
        };
        rotating.current().report_keys(at(999));
        assert_eq!(of_key("a"), ["0", "2000", "0", "0"]);
        // The first delivery that a key signed reports as well, and so does one a minute later.
        assert!(verify("a", 1940));
        assert_eq!(of_key("a"), ["1", "2000", "1940", "1940"]);
        assert!(verify("a", 1999));
        assert!(!verify("forged", 1999));
        assert_eq!(of_key("a"), ["1", "2000", "1999", "1999"]);
        // No key is active, so no signature is compared.
        assert!(!verify("a", 2000));
        assert_eq!(of_key("a"), ["0", "2000", "1999", "1999"]);
        // What the verifier no longer holds is neither active nor about to expire.
        rotating.replace(with(key("b").expires_at(at(9000))));
        assert!(verify("b", 2002));
        assert_eq!(of_key("a"), ["0", "0", "1999", "1999"]);
        assert_eq!(of_key("b"), ["1", "9000", "2002", "2002"]);
        // What it holds still keeps its gauges.
        rotating.replace(with(key("b").expires_at(at(9000))));
        assert_eq!(of_key("b"), ["1", "9000", "2002", "2002"]);
    });
}

/// Asserts the gauges while a body of 12 bytes is received, and after its request ended in either way.
async fn assert_gauges<F: Future>(
    handle: &PrometheusHandle,
    begin: impl Fn(Slow) -> F,
    status: impl Fn(F::Output) -> u16,
) {
    let gauges = || {
        let series = [
            "countersign_bodies_in_flight{sender=\"moduslink\"}",
            "countersign_body_budget_bytes{budget=\"orders\"}",
            "countersign_body_budget_left_bytes{budget=\"orders\"}",
        ];
        gauges(handle, series)
    };
    for is_cancelled in [true, false] {
        let (chunks, body) = Slow::new();
        let mut sending = Box::pin(begin(body));
        assert!(poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await);
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
    scraped(|handle| {
        let layer = VerifyWebhookLayer::new(verifier.clone()).body_budget(budget());
        let app = Router::new().route("/", post(async || ())).layer(layer);
        let begin = |body| app.clone().oneshot(request(&delivery).map(|_| Body::new(body)));
        block_on(assert_gauges(handle, begin, |response| response.unwrap().status().as_u16()));
    });
    scraped(|handle| {
        let guard = VerifyWebhook::new(verifier.clone()).body_budget(budget());
        let handler = web::post().to(async || "");
        let app = App::new().service(web::resource("/").wrap(guard).route(handler));
        block_on(async {
            let app = actix_web::test::init_service(app).await;
            let begin = |body| app.call(actix_request_with(&delivery, body));
            assert_gauges(handle, begin, |response| response.unwrap().status().as_u16()).await;
        });
    });
}

#[test]
fn a_budget_that_many_threads_used_shows_what_is_left() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let delivery =
        hmac_delivery(senders::moduslink(), "secret", "a whole body").with_header("content-length", "12");
    let layer = VerifyWebhookLayer::new(verifier(senders::moduslink(), "secret"))
        .body_budget(BodyBudget::named("shared", 1000));
    let app = Router::new().route("/", post(async || ())).layer(layer);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                metrics::with_local_recorder(&recorder, || {
                    for _ in 0..250 {
                        let sent = app.clone().oneshot(request(&delivery).map(Body::new));
                        assert_eq!(block_on(sent).unwrap().status(), 200);
                    }
                });
            });
        }
    });
    let series = [
        "countersign_body_budget_left_bytes{budget=\"shared\"}",
        "countersign_bodies_in_flight{sender=\"moduslink\"}",
        "countersign_deliveries_verified_total{sender=\"moduslink\",key=\"k\"}",
    ];
    assert_eq!(gauges(&recorder.handle(), series), ["1000", "0", "1000"]);
}
