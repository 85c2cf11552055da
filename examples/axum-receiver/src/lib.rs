//! A service with a guarded route for each of the five senders.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use countersign::Rejection;
use countersign_tower::{Verified, VerifyWebhookLayer};
use receiver_setup::{Answer, Endpoint};

/// The service: each endpoint's path answers verified deliveries, and `on_reject` hears of all others.
pub fn router(
    endpoints: Vec<Endpoint>,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> Router {
    endpoints.into_iter().fold(Router::new(), |router, Endpoint { path, verifier }| {
        let guard = VerifyWebhookLayer::new(verifier)
            .body_timeout(Duration::from_secs(30))
            .on_reject(on_reject.clone());
        router.route(path, post(receive).layer(guard))
    })
}

/// Runs for verified deliveries only: it could not take a `Verified` otherwise.
async fn receive(verified: Verified) -> Json<Answer> {
    Json(Answer::new(&verified))
}
