use std::{fmt, ops::Deref, sync::Arc};

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

/// Extracts the tenant for whom the delivery was verified, in a service that receives for many.
///
/// A handler with this extractor cannot run without a verdict on a delivery to that tenant: if the guard's verifier is no tenant's, the
/// caller gets a 500 and the log gets an error that names the mistake (feature `tracing`).
///
/// Take the name from here and not from the path or a header, where the caller chooses it. The guard is
/// `VerifyWebhookLayer::new(tenants)`, with `Tenants` of the crate `countersign-tenants`.
///
/// ```
/// use countersign_tower::{Tenant, Verified};
///
/// async fn order(tenant: Tenant, verified: Verified) -> String {
///     format!("{} bytes for {tenant}, signed with its key {}", verified.body().len(), verified.key())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant(Arc<str>);

impl Deref for Tenant {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = LayerMissing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LayerMissing> {
        if let Some(tenant) =
            parts.extensions.get::<VerifiedDelivery>().and_then(|delivery| delivery.tenant())
        {
            return Ok(Self(tenant.into()));
        }
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = parts.uri.path(),
            "a handler takes `Tenant`, but no `VerifyWebhookLayer` with `Tenants` guards its route: add the layer; until \
             then the route answers 500"
        );
        Err(LayerMissing(()))
    }
}

/// Rejects a request whose handler takes [`Verified`] or [`Tenant`] although no [`VerifyWebhookLayer`](crate::VerifyWebhookLayer)
/// guards the route, or none with tenants.
#[derive(Clone, Debug)]
pub struct LayerMissing(());

impl IntoResponse for LayerMissing {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "internal server error\n").into_response()
    }
}
