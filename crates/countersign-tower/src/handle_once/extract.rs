use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use countersign_once::Outcome;
use http::{StatusCode, request::Parts};

use super::claim::OnceClaim;

impl<S: Sync> FromRequestParts<S> for OnceClaim {
    type Rejection = ClaimMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ClaimMissing> {
        if let Some(claim) = parts.extensions.get::<Self>() {
            return Ok(*claim);
        }
        // The store's failure is logged already.
        if parts.extensions.get::<Outcome>().is_some() {
            return Err(ClaimMissing(StatusCode::SERVICE_UNAVAILABLE));
        }
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = parts.uri.path(),
            "a handler takes `OnceClaim`, but its route has no `HandleOnceLayer`: add the layer inside the guard; until \
             then the route answers 500"
        );
        Err(ClaimMissing(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// Rejects a request whose handler takes [`OnceClaim`] but runs without a claim: 503 if the store is away, 500 if the route
/// has no [`HandleOnceLayer`](crate::HandleOnceLayer).
#[derive(Clone, Debug)]
pub struct ClaimMissing(StatusCode);

impl IntoResponse for ClaimMissing {
    fn into_response(self) -> Response {
        let body = match self.0 {
            StatusCode::SERVICE_UNAVAILABLE => "service unavailable\n",
            _ => "internal server error\n",
        };
        (self.0, body).into_response()
    }
}
