use std::{
    fmt,
    future::{Ready, ready},
    ops::Deref,
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode,
};
use countersign::VerifiedDelivery;

/// Extracts the verified delivery: its sender and key, and its body as it was on the wire.
///
/// Other extractors in the same handler, such as `web::Json<T>`, read the same body, decompress it and have limits of their
/// own. [`body`](VerifiedDelivery::body) returns the verified bytes even if middleware in between changed the payload, and its
/// only limit is the verifier's.
///
/// A handler with this extractor cannot run without the guard: if no [`VerifyWebhook`](crate::VerifyWebhook) ran, the caller
/// gets a 500 and the log gets an error that names the mistake (feature `tracing`).
///
/// ```
/// use countersign_actix::Verified;
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

impl FromRequest for Verified {
    type Error = MiddlewareMissing;
    type Future = Ready<Result<Self, MiddlewareMissing>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let delivery = request.extensions().get::<VerifiedDelivery>().cloned();
        #[cfg(feature = "tracing")]
        if delivery.is_none() {
            tracing::error!(
                path = request.path(),
                "a handler takes `Verified`, but no `VerifyWebhook` guards its route: wrap the route in it; until then the \
                 route answers 500"
            );
        }
        ready(delivery.map(Self).ok_or(MiddlewareMissing(())))
    }
}

/// Extracts the tenant for whom the delivery was verified, in a service that receives for many.
///
/// A handler with this extractor cannot run without a verdict on a delivery to that tenant: if the guard's verifier is no tenant's, the
/// caller gets a 500 and the log gets an error that names the mistake (feature `tracing`).
///
/// Take the name from here and not from the path or a header, where the caller chooses it. The guard is
/// `VerifyWebhook::new(tenants)`, with `Tenants` of the crate `countersign-tenants`.
///
/// ```
/// use countersign_actix::{Tenant, Verified};
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

impl FromRequest for Tenant {
    type Error = MiddlewareMissing;
    type Future = Ready<Result<Self, MiddlewareMissing>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let tenant = extensions.get::<VerifiedDelivery>().and_then(|delivery| delivery.tenant());
        #[cfg(feature = "tracing")]
        if tenant.is_none() {
            tracing::error!(
                path = request.path(),
                "a handler takes `Tenant`, but no `VerifyWebhook` with `Tenants` guards its route: wrap the route in it; until \
                 then the route answers 500"
            );
        }
        ready(tenant.map(|tenant| Self(tenant.into())).ok_or(MiddlewareMissing(())))
    }
}

/// Rejects a request whose handler takes [`Verified`] or [`Tenant`] although no [`VerifyWebhook`](crate::VerifyWebhook) guards the
/// route, or none with tenants.
#[derive(Clone, Debug)]
pub struct MiddlewareMissing(());

impl fmt::Display for MiddlewareMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no `VerifyWebhook` guards this route as its handler needs it")
    }
}

impl ResponseError for MiddlewareMissing {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::InternalServerError().body("internal server error\n")
    }
}
