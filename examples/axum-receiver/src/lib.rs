//! An axum service with a guarded route for each of five senders.

use std::time::Duration;

use axum::{
    Json, Router,
    routing::{MethodRouter, post},
};
use countersign::Rejection;
use countersign_inbox::SqliteInbox;
use countersign_once::Once;
use countersign_tower::{HandleOnceLayer, Verified, VerifyWebhookLayer, accept_into};
use receiver_setup::{Answer, Endpoint};

/// Routes each endpoint's path: each verified delivery reaches the handler once, by the memory of `once`, and `on_reject`
/// runs for all that are not verified.
pub fn router(
    endpoints: Vec<Endpoint>,
    once: Once,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> Router {
    guarded(endpoints, &post(receive).layer(HandleOnceLayer::new(once)), on_reject)
}

/// Routes each endpoint's path: each verified delivery is stored in `inbox` and answered at once.
pub fn inbox_router(
    endpoints: Vec<Endpoint>,
    inbox: SqliteInbox,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> Router {
    guarded(endpoints, &post(accept_into(inbox)), on_reject)
}

fn guarded(
    endpoints: Vec<Endpoint>,
    handler: &MethodRouter,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> Router {
    endpoints.into_iter().fold(Router::new(), |router, Endpoint { path, verifier }| {
        let guard = VerifyWebhookLayer::new(verifier)
            .body_timeout(Duration::from_secs(30))
            .on_reject(on_reject.clone());
        // The layer added last runs first.
        router.route(path, handler.clone().layer(guard))
    })
}

/// Takes `Verified`, so it runs for verified deliveries only. Duplicates get a 200 without it.
async fn receive(verified: Verified) -> Json<Answer> {
    Json(Answer::new(&verified))
}
