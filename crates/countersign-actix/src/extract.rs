use std::{
    fmt,
    future::{Ready, ready},
    ops::Deref,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode,
};
use countersign::VerifiedDelivery;

/// The verified delivery, as an extractor: which sender and key it came from, and its body as it was on the wire.
///
/// What a handler takes beside it, such as `web::Json<T>`, reads the same body; actix-web's extractors decompress it and have
/// limits of their own. [`body`](VerifiedDelivery::body) is what was verified, whatever became of the payload since, and has no
/// limit but the verifier's.
///
/// A handler that takes it cannot be reached without the guard: where no [`VerifyWebhook`](crate::VerifyWebhook) ran,
/// the caller gets a 500 and, with the feature `tracing`, the log an error that names the mistake.
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

impl FromRequest for Verified {
    type Error = MiddlewareMissing;
    type Future = Ready<Result<Self, MiddlewareMissing>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let delivery = request.extensions().get::<VerifiedDelivery>().cloned();
        ready(delivery.map(Self).ok_or_else(|| MiddlewareMissing::at(request)))
    }
}

/// A handler takes [`Verified`] and no [`VerifyWebhook`](crate::VerifyWebhook) guards its route.
#[derive(Clone, Debug)]
pub struct MiddlewareMissing(());

impl MiddlewareMissing {
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
    fn at(request: &HttpRequest) -> Self {
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = request.path(),
            "a handler takes `Verified`, but no `VerifyWebhook` guards its route: wrap the route in it; until then it \
             answers 500"
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
