//! The endpoints in axum.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use countersign_tower::{Verified, VerifyWebhookLayer};

use crate::{Answer, Endpoint};

/// The service: each endpoint's path answers verified deliveries.
pub fn router(endpoints: Vec<Endpoint>) -> Router {
    endpoints.into_iter().fold(Router::new(), |router, Endpoint { path, verifier }| {
        let guard = VerifyWebhookLayer::new(verifier).body_timeout(Duration::from_secs(30));
        router.route(&path, post(receive).layer(guard))
    })
}

/// Runs for verified deliveries only: it could not take a `Verified` otherwise.
async fn receive(verified: Verified) -> Json<Answer> {
    Json(Answer::new(&verified))
}
