//! The page and its API, on a port of their own.

mod access;
mod api;
mod files;
mod summary;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use tokio::sync::Semaphore;

use self::access::Access;
use super::intake::Intake;

/// What the page serves.
#[derive(Clone)]
pub(crate) struct Page {
    intake: Arc<Intake>,
    /// Where senders send to.
    receiver: SocketAddr,
    /// For streams of events, each of which keeps a connection.
    streams: Arc<Semaphore>,
}

/// Limit on streams of events.
const STREAMS: usize = 64;

impl Page {
    pub(crate) fn new(intake: Arc<Intake>, receiver: SocketAddr) -> Self {
        Self { intake, receiver, streams: Arc::new(Semaphore::new(STREAMS)) }
    }

    /// The page at this address, for whoever knows the token.
    pub(crate) fn router(self, address: SocketAddr, token: &str) -> Router {
        let access = Access::new(address, token);
        let guarded = Router::new()
            .route("/settings", get(api::settings))
            .route("/deliveries", get(api::deliveries))
            .route("/deliveries/{id}", get(api::delivery))
            .route("/deliveries/{id}/body", get(api::body))
            .route("/deliveries/{id}/curl", get(api::curl))
            .route("/search", get(api::search))
            .route("/replay", post(api::replay))
            .route("/resign", post(api::resign))
            .layer(from_fn_with_state(access.clone(), access::check_token));
        // A browser's stream of events sends no token. It tells that something changed, and nothing else.
        let api = guarded
            .route("/changes", get(api::changes))
            .layer(from_fn_with_state(access.clone(), access::check_site));
        Router::new()
            .merge(files::router())
            .nest("/api", api)
            .layer(from_fn_with_state(access, access::check_host))
            .layer(from_fn(access::protect))
            .with_state(self)
    }
}
