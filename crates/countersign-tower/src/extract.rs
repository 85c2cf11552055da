use std::ops::Deref;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use countersign::VerifiedDelivery;
use http::{StatusCode, request::Parts};

/// Extracts the verified delivery in axum: its sender and key, and its body as it was on the wire.
///
/// Other extractors in the same handler, such as `Json<T>`, read the same body. [`body`](VerifiedDelivery::body) returns the
/// verified bytes even if a layer in between changed the body, and its only limit is the verifier's.
///
/// A handler with this extractor cannot run without the guard: if no [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) ran,
/// the caller gets a 500 and the log gets an error that names the mistake (feature `tracing`).
///
/// ```
/// use countersign_tower::Verified;
///
/// async fn order_status(verified: Verified) -> String {
///     let (sender, body) = (verified.scheme().name(), verified.body());
///     format!("{} bytes from {sender}, signed with key {}", body.len(), verified.key())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it tells which sender and key the delivery came from"]
pub struct Verified(VerifiedDelivery);

impl Verified {
    /// Returns the core's type.
    pub fn into_inner(self) -> VerifiedDelivery {
        self.0
    }
}

impl Deref for Verified {
    type Target = VerifiedDelivery;

    fn deref(&self) -> &VerifiedDelivery {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Verified {
    type Rejection = LayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LayerMissing> {
        if let Some(delivery) = parts.extensions.get::<VerifiedDelivery>() {
            return Ok(Self(delivery.clone()));
        }
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = parts.uri.path(),
            "a handler takes `Verified`, but no `VerifyWebhookLayer` guards its route: add the layer; until then the \
             route answers 500"
        );
        Err(LayerMissing(()))
    }
}

/// Rejects a request whose handler takes [`Verified`] although no [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) guards
/// the route.
#[derive(Clone, Debug)]
pub struct LayerMissing(());

impl IntoResponse for LayerMissing {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "internal server error\n").into_response()
    }
}
