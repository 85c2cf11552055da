use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use countersign_tower::{Verified, VerifyWebhookLayer};
use receiver_setup::Endpoint;

use crate::{Deliveries, OpenError};

/// A route for each endpoint, which answers 200 once the stream has acknowledged the delivery.
///
/// # Errors
///
/// [`Deliveries::check`].
pub fn router(deliveries: Deliveries, endpoints: Vec<Endpoint>) -> Result<Router, OpenError> {
    let mut app = Router::new();
    for Endpoint { path, verifier } in endpoints {
        deliveries.check(&verifier)?;
        let guard = VerifyWebhookLayer::new(verifier).body_timeout(Duration::from_secs(10));
        app = app.route(path, post(accept).layer(guard));
    }
    Ok(app.with_state(deliveries))
}

async fn accept(State(deliveries): State<Deliveries>, verified: Verified) -> Response {
    match deliveries.publish(&verified).await {
        Ok(published) => {
            tracing::info!(sender = verified.scheme().name(), ?published, "webhook delivery stored");
            StatusCode::OK.into_response()
        }
        Err(failure) => {
            tracing::warn!(sender = verified.scheme().name(), %failure, "webhook delivery not stored");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "30")]).into_response()
        }
    }
}
