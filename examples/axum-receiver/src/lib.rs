//! An axum service with a guarded route for each of five senders.

use std::time::Duration;

use axum::{
    Json, Router,
    routing::{MethodRouter, post},
};
use countersign::Rejection;
use countersign_once::Once;
use countersign_tower::{HandleOnceLayer, Verified, VerifyWebhookLayer};
use receiver_setup::{Answer, Endpoint};

/// Routes each endpoint's path: each verified delivery reaches the handler once, by the memory of `once`, and `on_reject`
/// runs for all that are not verified.
pub fn router(
    endpoints: Vec<Endpoint>,
    once: Once,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> Router {
    let once = HandleOnceLayer::new(once);
    endpoints.into_iter().fold(Router::new(), |router, Endpoint { path, verifier }| {
        let guard = VerifyWebhookLayer::new(verifier)
            .body_timeout(Duration::from_secs(30))
            .on_reject(on_reject.clone());
        let handled: MethodRouter = post(receive).layer(once.clone());
        // The layer added last runs first.
        router.route(path, handled.layer(guard))
    })
}

/// Takes `Verified`, so it runs for verified deliveries only. Duplicates get a 200 without it.
async fn receive(verified: Verified) -> Json<Answer> {
    Json(Answer::new(&verified))
}
