//! A handler that is interrupted leaves its delivery to the next attempt: by an error of the service, and by a timeout on either
//! side of the layer. [`crate::once_cancelled`] has the clients that go away.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    App,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::senders;
use countersign_actix::{HandleOnce, VerifyWebhook};
use countersign_once::{MemoryStore, Once, Outcome};
use countersign_tower::{HandleOnceLayer, VerifiedBody};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::timeout;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::timeout::TimeoutLayer;

use crate::{
    harness::{Delivery, actix_request, block_on, good, guard, request, verifier},
    log::captured,
};

const LIMIT: Duration = Duration::from_millis(20);

/// A lease of a minute: what a test sees free before that was released.
pub(crate) fn memory() -> Once {
    Once::new(MemoryStore::default()).unwrap()
}

pub(crate) fn actix_guard() -> VerifyWebhook {
    VerifyWebhook::new(verifier(senders::moduslink(), "secret"))
}

/// Counts the handler's runs, of which the first hangs.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) async fn hang_once(self) -> &'static str {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            pending::<()>().await;
        }
        "handled"
    }
}

async fn in_time(request: ServiceRequest, next: Next<impl MessageBody>) -> Answered<impl MessageBody> {
    let answer = timeout(LIMIT, next.call(request)).await;
    answer.map_err(|_| actix_web::error::ErrorRequestTimeout("too slow"))?
}

type Answered<B> = Result<ServiceResponse<B>, actix_web::Error>;

/// The status and the outcome of an axum app's answer.
async fn in_axum(app: &Router, delivery: &Delivery) -> (u16, Option<Outcome>) {
    let response = app.clone().oneshot(request(delivery).map(Body::new)).await.unwrap();
    (response.status().as_u16(), response.extensions().get().copied())
}

/// The status and the outcome of an actix app's answer; an error is answered as the server would.
async fn in_actix<B>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    delivery: &Delivery,
) -> (u16, Option<Outcome>) {
    match app.call(actix_request(delivery)).await {
        Ok(response) => (response.status().as_u16(), response.response().extensions().get().copied()),
        Err(error) => (error.as_response_error().status_code().as_u16(), None),
    }
}

const NEW: (u16, Option<Outcome>) = (200, Some(Outcome::New));
const DUPLICATE: (u16, Option<Outcome>) = (200, Some(Outcome::Duplicate));

#[test]
fn in_tower_an_error_of_the_service_is_passed_on_and_leaves_the_delivery_to_the_next_attempt() {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let service = service_fn(move |_: Request<VerifiedBody>| {
        let run = count.fetch_add(1, Ordering::Relaxed);
        async move { if run == 0 { Err("out of order") } else { Ok(Response::new(Full::<Bytes>::default())) } }
    });
    let guarded = guard().layer(HandleOnceLayer::new(memory()).layer(service));
    block_on(async {
        let answer = || guarded.clone().oneshot(request(&good()));
        assert_eq!(answer().await.unwrap_err(), "out of order");
        for wanted in [Outcome::New, Outcome::Duplicate] {
            let outcome = answer().await.unwrap().extensions().get::<Outcome>().copied();
            assert_eq!(outcome, Some(wanted));
        }
    });
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[test]
fn in_actix_an_error_of_the_service_is_passed_on_and_leaves_the_delivery_to_the_next_attempt() {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let fail_once = from_fn(move |request: ServiceRequest, next: Next<_>| {
        let run = count.fetch_add(1, Ordering::Relaxed);
        async move {
            if run == 0 {
                Err(actix_web::error::ErrorBadGateway("out of order"))
            } else {
                next.call(request).await
            }
        }
    });
    block_on(async {
        let route = web::resource("/").route(web::post().to(async || "handled")).wrap(fail_once);
        let route = route.wrap(HandleOnce::new(memory())).wrap(actix_guard());
        let app = actix_web::test::init_service(App::new().service(route)).await;
        assert_eq!(in_actix(&app, &good()).await, (502, None));
        assert_eq!(in_actix(&app, &good()).await, NEW);
        assert_eq!(in_actix(&app, &good()).await, DUPLICATE);
    });
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[test]
fn in_tower_a_timeout_on_either_side_leaves_the_delivery_to_the_next_attempt() {
    block_on(async {
        for (outside, timed_out) in [(false, (408, Some(Outcome::New))), (true, (408, None))] {
            let runs = Runs::default();
            let handler = runs.clone();
            let app = Router::new().route("/", post(move || handler.clone().hang_once()));
            let once = HandleOnceLayer::new(memory());
            let limit = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LIMIT);
            let app = if outside { app.layer(once).layer(limit) } else { app.layer(limit).layer(once) };
            let app = app.layer(guard());
            assert_eq!(in_axum(&app, &good()).await, timed_out);
            // Outside, the drop releases in the background, which runs at the next await.
            tokio::task::yield_now().await;
            assert_eq!(in_axum(&app, &good()).await, NEW, "outside: {outside}");
            assert_eq!(in_axum(&app, &good()).await, DUPLICATE, "outside: {outside}");
            assert_eq!(runs.count(), 2);
        }
    });
}

#[test]
fn in_actix_a_timeout_on_either_side_leaves_the_delivery_to_the_next_attempt() {
    async fn check(
        runs: &Runs,
        app: impl Service<
            actix_http::Request,
            Response = ServiceResponse<impl MessageBody>,
            Error = actix_web::Error,
        >,
    ) {
        assert_eq!(in_actix(&app, &good()).await, (408, None));
        tokio::task::yield_now().await;
        assert_eq!(in_actix(&app, &good()).await, NEW);
        assert_eq!(in_actix(&app, &good()).await, DUPLICATE);
        assert_eq!(runs.count(), 2);
    }
    let route = |runs: &Runs| {
        let runs = runs.clone();
        web::resource("/").route(web::post().to(move || runs.clone().hang_once()))
    };
    block_on(async {
        let (once, runs) = (HandleOnce::new(memory()), Runs::default());
        let inside = route(&runs).wrap(from_fn(in_time)).wrap(once).wrap(actix_guard());
        check(&runs, actix_web::test::init_service(App::new().service(inside)).await).await;

        let (once, runs) = (HandleOnce::new(memory()), Runs::default());
        let outside = route(&runs).wrap(once).wrap(from_fn(in_time)).wrap(actix_guard());
        check(&runs, actix_web::test::init_service(App::new().service(outside)).await).await;
    });
}

#[test]
fn without_a_guard_the_log_names_the_mistake() {
    let log = captured(|| {
        block_on(async {
            let service = service_fn(|_: Request<_>| async {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            });
            let response = HandleOnceLayer::new(memory()).layer(service).oneshot(request(&good())).await;
            assert_eq!(response.unwrap().status(), 500);
            let route = web::resource("/").route(web::post().to(async || "")).wrap(HandleOnce::new(memory()));
            let app = actix_web::test::init_service(App::new().service(route)).await;
            assert_eq!(in_actix(&app, &good()).await, (500, None));
        });
    });
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 2, "{log}");
    assert!(
        errors[0].contains("`HandleOnceLayer` got a request that no `VerifyWebhookLayer` verified"),
        "{log}"
    );
    assert!(errors[1].contains("`HandleOnce` got a request that no `VerifyWebhook` verified"), "{log}");
}
