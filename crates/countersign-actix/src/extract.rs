use std::{
    fmt,
    future::{Ready, ready},
    ops::Deref,
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
        ready(delivery.map(Self).ok_or_else(|| MiddlewareMissing::at(request)))
    }
}

/// Rejects a request whose handler takes [`Verified`] although no [`VerifyWebhook`](crate::VerifyWebhook) guards the route.
#[derive(Clone, Debug)]
pub struct MiddlewareMissing(());

impl MiddlewareMissing {
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
    fn at(request: &HttpRequest) -> Self {
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = request.path(),
            "a handler takes `Verified`, but no `VerifyWebhook` guards its route: wrap the route in it; until then the \
             route answers 500"
        );
        Self(())
    }
}

impl fmt::Display for MiddlewareMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no `VerifyWebhook` guards this route")
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
