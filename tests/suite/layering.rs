//! The guard among other layers: where it works, and where it must stand.

use std::{
    convert::Infallible,
    future::poll_fn,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router, body::Body, extract::FromRequestParts, handler::Handler, middleware::map_request,
    response::IntoResponse, routing::post,
};
use bytes::Bytes;
use countersign::{Rejection, RejectionKind, Secret, Verifier, senders};
use countersign_once::{MemoryStore, Once, Outcome};
use countersign_tower::{HandleOnceLayer, OnceClaim, VerifiedBody, VerifyWebhookLayer};
use flate2::{Compression, write::GzEncoder};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};
use tower_http::{
    decompression::RequestDecompressionLayer, limit::RequestBodyLimitLayer, timeout::RequestBodyTimeoutLayer,
};

use crate::harness::{Chunks, Delivery, block_on, good, guard, hmac_delivery, request};

/// A service that must be polled ready before each call, and counts its clones.
#[derive(Default)]
struct Strict {
    ready: bool,
    clones: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::Relaxed);
        Self { ready: false, clones: Arc::clone(&self.clones) }
    }
}

impl Service<Request<VerifiedBody>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<VerifiedBody>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        std::future::ready(Ok(Response::default()))
    }
}
/// Good deliveries mixed with two kinds of bad ones, and the status each must get.
fn mixed() -> Vec<(Delivery, StatusCode)> {
    let (short, other) = (good().with_signature("short"), good().with_body("other"));
    let bad = |delivery| (delivery, StatusCode::UNAUTHORIZED);
    let fine = || (good(), StatusCode::OK);
    vec![fine(), bad(short.clone()), fine(), bad(other.clone()), bad(short), bad(other), fine(), fine()]
}

async fn status<S, B>(service: &mut S, delivery: &Delivery) -> StatusCode
where
    S: Service<Request<Chunks>, Response = Response<B>, Error = Infallible>,
{
    let service = poll_fn(|cx| service.poll_ready(cx)).await.map(|()| service).unwrap();
    service.call(request(delivery)).await.unwrap().status()
}

#[test]
fn the_inner_service_called_is_the_one_polled_ready() {
    let mut guarded = guard().layer(Strict::default());
    let once = HandleOnceLayer::new(Once::new(MemoryStore::default()).unwrap());
    let mut handled_once = guard().layer(once.layer(Strict::default()));
    block_on(async {
        for (delivery, wanted) in mixed() {
            assert_eq!(status(&mut guarded, &delivery).await, wanted);
            assert_eq!(status(&mut handled_once, &delivery).await, wanted);
        }
    });
}

/// Servers clone the outer service for each request.
#[test]
fn a_request_costs_one_clone_of_the_inner_service() {
    let strict = Strict::default();
    let clones = Arc::clone(&strict.clones);
    let guarded = guard().layer(strict);
    block_on(async {
        for (delivery, wanted) in mixed() {
            let mut service = guarded.clone();
            // Polling for readiness twice must not cost a second clone.
            poll_fn(|cx| Service::<Request<Chunks>>::poll_ready(&mut service, cx)).await.unwrap();
            let status = status(&mut service, &delivery).await;
            assert_eq!(status, wanted);
        }
    });
    assert_eq!(clones.load(Ordering::Relaxed), mixed().len());
}

#[test]
fn the_guard_works_outside_and_inside_a_concurrency_limit() {
    let answer = || {
        service_fn(|_: Request<VerifiedBody>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        })
    };
    let mut inside =
        ServiceBuilder::new().layer(ConcurrencyLimitLayer::new(1)).layer(guard()).service(answer());
    let mut outside =
        ServiceBuilder::new().layer(guard()).layer(ConcurrencyLimitLayer::new(1)).service(answer());
    block_on(async {
        for (delivery, wanted) in mixed() {
            let one = status(&mut inside, &delivery).await;
            let other = status(&mut outside, &delivery).await;
            assert_eq!((one, other), (wanted, wanted));
        }
    });
}

#[test]
fn the_kept_future_of_a_rejected_request_does_not_hold_the_service() {
    let answer = service_fn(|_: Request<VerifiedBody>| async {
        Ok::<_, Infallible>(Response::<Full<Bytes>>::default())
    });
    let mut guarded =
        ServiceBuilder::new().layer(guard()).layer(ConcurrencyLimitLayer::new(1)).service(answer);
    block_on(async {
        for delivery in [good().with_signature("short"), good().with_body("other")] {
            poll_fn(|cx| Service::<Request<Chunks>>::poll_ready(&mut guarded, cx)).await.unwrap();
            let mut kept = Box::pin(guarded.call(request(&delivery)));
            assert_eq!(kept.as_mut().await.unwrap().status(), StatusCode::UNAUTHORIZED);
            let ready = poll_fn(|cx| Poll::Ready(Service::<Request<Chunks>>::poll_ready(&mut guarded, cx)));
            assert!(ready.await.is_ready());
            drop(kept);
        }
    });
}

async fn handler(verified: countersign_tower::Verified, body: Bytes) -> String {
    format!("{} {} {}", verified.scheme().name(), verified.key(), body.len())
}

#[test]
fn a_verified_delivery_keeps_the_verified_body_when_a_layer_replaces_it() {
    async fn place(verified: countersign_tower::Verified, read: Bytes) -> String {
        assert_eq!(read, "another");
        (verified.body().as_ptr() as usize).to_string()
    }
    let replace = map_request(async |request: Request<Body>| request.map(|_| Body::from("another")));
    let app = Router::new().route("/", post(place)).layer(replace).layer(guard());
    let sent = good();
    let response = block_on(app.oneshot(request(&sent).map(Body::new))).unwrap();
    let body = block_on(response.into_body().collect()).unwrap().to_bytes();
    assert_eq!(body, (sent.chunks[0].as_ptr() as usize).to_string(), "uncopied");
}

#[test]
fn the_guard_fits_axums_layer_route_layer_method_router_and_handler() {
    let route = || Router::new().route("/", post(handler));
    let apps = [
        route().layer(guard()),
        route().route_layer(guard()),
        Router::new().route("/", post(handler).layer(guard())),
        Router::new().route("/", post(handler).route_layer(guard())),
        Router::new().route("/", post(handler.layer(guard()))),
        Router::new().merge(route().layer(guard())),
        Router::new().fallback_service(route().layer(ServiceBuilder::new().layer(guard()))),
    ];
    for app in apps {
        block_on(async {
            let response = app.clone().oneshot(request(&good()).map(Body::new)).await.unwrap();
            assert_eq!(response.status(), 200);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, "moduslink k 21");
            let response = app.oneshot(request(&good().with_body("x")).map(Body::new)).await.unwrap();
            assert_eq!(response.status(), 401);
        });
    }
}

#[test]
fn an_extractor_without_the_layer_is_500_and_the_log_names_the_mistake() {
    let log = crate::log::captured(|| {
        let app = Router::new().route("/", post(handler));
        let response = block_on(app.oneshot(request(&good()).map(Body::new))).unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    });
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains("no `VerifyWebhookLayer` guards its route"), "{log}");
}

#[test]
fn a_handler_without_its_claim_is_500_or_503_if_the_store_is_away() {
    let answer = |request: Request<()>| {
        block_on(async {
            let missing = OnceClaim::from_request_parts(&mut request.into_parts().0, &()).await.unwrap_err();
            let (head, body) = missing.into_response().into_parts();
            (head.status.as_u16(), body.collect().await.unwrap().to_bytes())
        })
    };
    let mut request = Request::new(());
    assert_eq!(answer(request.clone()), (500, Bytes::from_static(b"internal server error\n")));
    request.extensions_mut().insert(Outcome::Unguarded);
    assert_eq!(answer(request), (503, Bytes::from_static(b"service unavailable\n")));
}

/// A delivery with a compressed body, signed over the compressed bytes.
fn compressed() -> Delivery {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"a body of some length").unwrap();
    hmac_delivery(senders::moduslink(), "secret", encoder.finish().unwrap())
        .with_header("content-encoding", "gzip")
}

/// An app's answer to a delivery: the status, the body, and the kind of rejection, if any.
fn answer(app: Router, delivery: &Delivery) -> (StatusCode, Bytes, Option<RejectionKind>) {
    block_on(async {
        let response = app.oneshot(request(delivery).map(Body::new)).await.unwrap();
        let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
        (response.status(), response.into_body().collect().await.unwrap().to_bytes(), kind)
    })
}

async fn echo(body: Bytes) -> Bytes {
    body
}

#[test]
fn decompression_inside_the_guard_runs_after_the_wire_bytes_are_verified() {
    let app = Router::new().route("/", post(echo)).layer(RequestDecompressionLayer::new()).layer(guard());
    let verified = (StatusCode::OK, Bytes::from_static(b"a body of some length"), None);
    assert_eq!(answer(app.clone(), &compressed()), verified);
    assert_eq!(answer(app, &compressed().in_chunks_of(3)), verified);
}

#[test]
fn decompression_outside_the_guard_fails_closed() {
    let app = Router::new().route("/", post(echo)).layer(guard()).layer(RequestDecompressionLayer::new());
    let (status, _, kind) = answer(app, &compressed());
    assert_eq!((status.as_u16(), kind), (401, Some(RejectionKind::SignatureMismatch)));
}

#[test]
fn a_probe_routed_around_the_guard_is_answered_and_deliveries_stay_guarded() {
    let app = Router::new().route("/", post(echo).layer(guard()).get(|| async { "alive" }));
    assert_eq!(answer(app.clone(), &good().with_body("x")).0, StatusCode::UNAUTHORIZED);
    assert_eq!(answer(app.clone(), &good()).0, StatusCode::OK);
    let probe = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(block_on(app.oneshot(probe)).unwrap().status(), StatusCode::OK);
}

#[test]
fn a_body_cut_off_by_an_outer_limit_is_rejected() {
    let app = Router::new().route("/", post(echo)).layer(guard()).layer(RequestBodyLimitLayer::new(5));
    let (status, _, kind) = answer(app, &good());
    assert_eq!((status.as_u16(), kind), (400, Some(RejectionKind::BodyUnreadable)));
}

#[test]
fn axums_own_limit_applies_to_extractors_after_the_guard() {
    let secret = Secret::new("secret").dangerously_accept_placeholder();
    let verifier =
        Verifier::builder(senders::moduslink()).secret("k", secret).body_limit(10 << 20).build().unwrap();
    let large = hmac_delivery(senders::moduslink(), "secret", vec![b'x'; 3 << 20]);
    let route = || Router::new().route("/", post(echo)).layer(VerifyWebhookLayer::new(verifier.clone()));
    let (status, _, kind) = answer(route(), &large);
    assert_eq!((status.as_u16(), kind), (413, None));
    let raised = route().layer(axum::extract::DefaultBodyLimit::max(10 << 20));
    assert_eq!(answer(raised, &large).0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_off_by_an_outer_timeout_is_rejected() {
    let app = Router::new()
        .route("/", post(echo))
        .layer(guard())
        .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(10)));
    let stalled = request(&good()).map(|_| Body::new(crate::guard::Stalled(false)));
    let response = app.oneshot(stalled).await.unwrap();
    assert_eq!(response.extensions().get::<Rejection>().unwrap().kind(), RejectionKind::BodyUnreadable);
}
