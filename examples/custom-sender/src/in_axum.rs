//! The endpoints in axum.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    routing::{MethodRouter, post},
};
use countersign_tower::{Verified, VerifyWebhookLayer};

use crate::{Answer, Endpoint};

/// The service: each endpoint's path answers verified deliveries.
pub fn router(endpoints: Vec<Endpoint>) -> Router {
    endpoints.into_iter().fold(Router::new(), |router, Endpoint { path, verifier }| {
        // The file's `body_limit` counts here, and not axum's own of 2 MB.
        let limit = DefaultBodyLimit::max(verifier.body_limit());
        let guard = VerifyWebhookLayer::new(verifier).body_timeout(Duration::from_secs(30));
        let route: MethodRouter = post(receive).layer(limit);
        router.route(&path, route.layer(guard))
    })
}

/// Runs for verified deliveries only: it could not take a `Verified` otherwise.
async fn receive(verified: Verified, body: Bytes) -> Json<Answer> {
    Json(Answer::new(&verified, &body))
}
