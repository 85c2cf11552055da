//! Over a socket, what a client that goes away does to its delivery: it cancels the handler, or the handler outlasts it.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpResponse, web};
use axum::{Router, routing::post};
use countersign_actix::HandleOnce;
use countersign_tower::HandleOnceLayer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::{sleep, timeout},
};

use crate::{
    harness::{good, guard},
    once_interrupted::{Runs, actix_guard, memory},
    sockets::{head, serve_actix, serve_axum},
};

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
