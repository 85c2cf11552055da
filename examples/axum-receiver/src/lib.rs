//! An axum service with a guarded route for each of five senders.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use countersign::Rejection;
use countersign_tower::{Verified, VerifyWebhookLayer};
use receiver_setup::{Answer, Endpoint};

/// Routes each endpoint's path: verified deliveries reach the handler, and `on_reject` runs for all others.
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

/// Takes `Verified`, so it runs for verified deliveries only.
async fn receive(verified: Verified) -> Json<Answer> {
    Json(Answer::new(&verified))
}
