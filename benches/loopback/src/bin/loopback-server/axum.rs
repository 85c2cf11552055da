//! Runs the axum servers.

use std::{
    error::Error,
    net,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::StatusCode,
    middleware::map_request,
    routing::post,
};
use countersign_tower::{Verified, VerifyWebhookLayer};
use http_body_util::BodyExt;
use loopback::Variant;
use tokio::{net::TcpListener, runtime};
use tower::layer::util::Identity;

use crate::{
    BODY_TIMEOUT, REFUSED, TAKEN, accept,
    counted::{CountedListener, taken},
    hash_and_accept, verifier,
};

pub(crate) fn serve(listener: net::TcpListener, variant: Variant, count: bool) -> Result<(), Box<dyn Error>> {
    let router = router(variant)?;
    listener.set_nonblocking(true)?;
    // One thread accepts and serves. With a pool of one, connections would move between threads.
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        if count {
            let router = router.layer(map_request(count_body));
            axum::serve(CountedListener(listener), router).await?;
        } else {
            axum::serve(listener, router).await?;
        }
        Ok(())
    })
}

fn router(variant: Variant) -> Result<Router, Box<dyn Error>> {
    let guard = || -> Result<_, Box<dyn Error>> {
        let guard = VerifyWebhookLayer::new(verifier()?);
        Ok(guard.on_reject(|_| {
            REFUSED.fetch_add(1, Relaxed);
        }))
    };
    let route = match variant {
        Variant::Plain => post(plain),
        Variant::Hashing => post(hashing),
        Variant::Layered => post(hashing).layer(Identity::new()),
        Variant::Guarded => post(guarded).layer(guard()?.body_timeout(BODY_TIMEOUT)),
        Variant::GuardedUntimed => post(guarded).layer(guard()?),
    };
    // Nearly every service has some state, and without it axum would clone the route needlessly.
    Ok(Router::new().route("/", route).with_state(Arc::new(())))
}

async fn plain(body: Bytes) -> StatusCode {
    accept(&body);
    StatusCode::OK
}

async fn hashing(body: Bytes) -> StatusCode {
    hash_and_accept(&body);
    StatusCode::OK
}

async fn guarded(verified: Verified) -> StatusCode {
    accept(verified.body());
    StatusCode::OK
}

async fn count_body(request: Request) -> Request {
    request.map(|body| {
        Body::new(body.map_frame(|frame| {
            TAKEN.fetch_add(frame.data_ref().map_or(0, taken), Relaxed);
            frame
        }))
    })
}
