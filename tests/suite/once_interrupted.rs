//! A handler that is interrupted leaves its delivery to the next attempt: by an error of the service, by a timeout on either
//! side of the layer, and by a client that goes away.

use std::{
    convert::Infallible,
    future::{Future, pending},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    App, HttpResponse,
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
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::timeout::TimeoutLayer;

use crate::{
    harness::{Delivery, actix_request, block_on, good, guard, request, verifier},
    log::captured,
    sockets::{head, serve_actix, serve_axum},
};

const LIMIT: Duration = Duration::from_millis(20);

/// A lease of a minute: what a test sees free before that was released.
fn memory() -> Once {
    Once::new(MemoryStore::default()).unwrap()
}

fn actix_guard() -> VerifyWebhook {
    VerifyWebhook::new(verifier(senders::moduslink(), "secret"))
}

/// Counts the handler's runs, of which the first hangs.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    async fn hang_once(self) -> &'static str {
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

/// A server of each framework, and the runs of its handler.
fn servers() -> [(&'static str, SocketAddr, Runs); 2] {
    let (in_axum, in_actix) = (Runs::default(), Runs::default());
    let runs = in_axum.clone();
    let axum = serve_axum(move || {
        let app = Router::new().route("/webhooks/moduslink", post(move || runs.clone().hang_once()));
        app.layer(HandleOnceLayer::new(memory())).layer(guard())
    });
    let runs = in_actix.clone();
    let actix = serve_actix(move |listener| {
        let once = HandleOnce::new(memory());
        let app = move || {
            let runs = runs.clone();
            let route = web::post().to(move || runs.clone().hang_once());
            let resource = web::resource("/webhooks/moduslink").route(route).wrap(once.clone());
            App::new().service(resource.wrap(actix_guard()))
        };
        // Otherwise a client that closes does not cancel its handler.
        let server = actix_web::HttpServer::new(app).h1_allow_half_closed(false);
        server.workers(2).listen(listener).unwrap().run()
    });
    [("axum", axum, in_axum), ("actix", actix, in_actix)]
}

/// Asks again and again until it is so, for 20 seconds at most: a third of the lease.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let asked = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), asked).await.unwrap_or_else(|_| panic!("not so in time: {what}"));
}

/// The bytes of a good delivery on HTTP/1.1.
fn sent() -> Vec<u8> {
    let body = good().body();
    let ending = format!("Content-Length: {}", body.len());
    [head(&good(), "moduslink", &ending), body].concat()
}

async fn status(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    String::from_utf8(status[9..].to_vec()).unwrap()
}

#[tokio::test]
async fn over_a_socket_a_client_that_goes_away_leaves_the_delivery_to_the_next_attempt() {
    let bytes = sent();
    for (framework, address, runs) in servers() {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        until(framework, || async { runs.count() == 1 }).await;
        assert_eq!(status(address, &bytes).await, "503", "{framework}: the handler runs");
        drop(stream);
        until(framework, || async { status(address, &bytes).await == "200" }).await;
        assert_eq!(status(address, &bytes).await, "200", "{framework}");
        assert_eq!(runs.count(), 2, "{framework}");
    }
}

/// By default, actix-web takes a closed connection for one that is half closed.
#[tokio::test]
async fn over_a_socket_to_actix_a_handler_outlasts_its_client_and_completes() {
    let (began, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (count, held) = (Arc::clone(&began), Arc::clone(&gate));
    let address = serve_actix(move |listener| {
        let once = HandleOnce::new(memory());
        let app = move || {
            let (count, held) = (Arc::clone(&count), Arc::clone(&held));
            let handler = move || {
                count.fetch_add(1, Ordering::Relaxed);
                let held = Arc::clone(&held);
                async move {
                    held.acquire().await.unwrap().forget();
                    HttpResponse::Created().finish()
                }
            };
            let resource = web::resource("/webhooks/moduslink").route(web::post().to(handler));
            App::new().service(resource.wrap(once.clone()).wrap(actix_guard()))
        };
        actix_web::HttpServer::new(app).workers(2).listen(listener).unwrap().run()
    });
    let bytes = sent();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    until("began", || async { began.load(Ordering::Relaxed) == 1 }).await;
    drop(stream);
    // Long enough for a server that cancels.
    sleep(Duration::from_millis(200)).await;
    assert_eq!(status(address, &bytes).await, "503");
    gate.add_permits(1);
    // The handler answers 201: a 200 is the duplicate's.
    until("completed", || async { status(address, &bytes).await == "200" }).await;
    assert_eq!(began.load(Ordering::Relaxed), 1);
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
