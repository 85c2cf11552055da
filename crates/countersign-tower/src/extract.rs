use std::ops::Deref;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use countersign::VerifiedDelivery;
use http::{StatusCode, request::Parts};

/// The verified delivery, as an axum extractor: which sender and key it came from, and its body as it was on the wire.
///
/// What a handler takes beside it, such as `Json<T>`, reads the same body; [`body`](VerifiedDelivery::body) is what was verified
/// whatever a layer in between has made of that, and has no limit but the verifier's.
///
/// A handler that takes it cannot be reached without the guard: where no
/// [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) ran, the caller gets a 500 and, with the feature `tracing`,
/// the log an error that names the mistake.
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
#[must_use = "it says which sender and key the delivery came from"]
pub struct Verified(VerifiedDelivery);

impl Verified {
    /// The core's type.
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
