//! Serves the endpoints with axum.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use countersign_tower::{Verified, VerifyWebhookLayer};

use crate::{Answer, Endpoint};

/// Routes each endpoint's path to the handler, behind its guard.
pub fn router(endpoints: Vec<Endpoint>) -> Router {
    endpoints.into_iter().fold(Router::new(), |router, Endpoint { path, verifier }| {
        let guard = VerifyWebhookLayer::new(verifier).body_timeout(Duration::from_secs(30));
        router.route(&path, post(receive).layer(guard))
    })
}

/// Takes `Verified`, so it runs for verified deliveries only.
async fn receive(verified: Verified) -> Json<Answer> {
    Json(Answer::new(&verified))
}
