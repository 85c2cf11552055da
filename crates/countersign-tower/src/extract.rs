use std::ops::Deref;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

/// The proof that the delivery was verified, as an axum extractor: it says which sender and key it came from.
///
/// A handler that takes it cannot be reached without the guard: where no
/// [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) ran, the caller gets a 500 and, with the feature `tracing`,
/// the log an error that names the mistake.
///
/// ```
/// use axum::body::Bytes;
/// use countersign_tower::Verified;
///
/// async fn order_status(verified: Verified, body: Bytes) -> String {
///     format!("{} bytes from {}, signed with key {}", body.len(), verified.scheme().name(), verified.key())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it says which sender and key the delivery came from"]
pub struct Verified(countersign::Verified);

impl Verified {
    /// The core's proof.
    pub fn into_inner(self) -> countersign::Verified {
        self.0
    }
}

impl Deref for Verified {
    type Target = countersign::Verified;

    fn deref(&self) -> &countersign::Verified {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Verified {
    type Rejection = LayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LayerMissing> {
        if let Some(verified) = parts.extensions.get::<countersign::Verified>() {
            return Ok(Self(verified.clone()));
        }
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = parts.uri.path(),
            "a handler takes `Verified`, but no `VerifyWebhookLayer` guards its route: add the layer to the \
             route; until then it answers 500"
        );
        Err(LayerMissing(()))
    }
}

/// A handler takes [`Verified`] and no [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) guards its route.
#[derive(Clone, Debug)]
pub struct LayerMissing(());

impl IntoResponse for LayerMissing {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "internal server error\n").into_response()
    }
}
