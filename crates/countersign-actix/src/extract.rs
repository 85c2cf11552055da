use std::{
    fmt,
    future::{Ready, ready},
    ops::Deref,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode,
};
use bytes::Bytes;

/// The proof that the delivery was verified, as an extractor: it says which sender and key it came from.
///
/// A handler that takes it cannot be reached without the guard: where no [`VerifyWebhook`](crate::VerifyWebhook) ran,
/// the caller gets a 500 and, with the feature `tracing`, the log an error that names the mistake.
///
/// ```
/// use actix_web::web::Bytes;
/// use countersign_actix::Verified;
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

impl FromRequest for Verified {
    type Error = MiddlewareMissing;
    type Future = Ready<Result<Self, MiddlewareMissing>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let verified = request.extensions().get::<countersign::Verified>().cloned();
        ready(verified.map(Self).ok_or_else(|| MiddlewareMissing::at(request)))
    }
}

/// The body of a verified delivery, as an extractor: the bytes that were verified, as they were on the wire.
///
/// `web::Bytes` would decompress them, copies them once more and has a limit of its own, 256 KiB unless it is raised; of this
/// one the verifier's body limit is the only one. It is what the guard kept, whatever became of the request's payload since. A
/// handler that takes it cannot be reached without the guard, as with [`Verified`].
///
/// ```
/// use countersign_actix::{Verified, VerifiedBody};
///
/// async fn order_status(verified: Verified, body: VerifiedBody) -> String {
///     format!("{} bytes from {}", body.len(), verified.scheme().name())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedBody(pub(crate) Bytes);

impl VerifiedBody {
    /// The bytes.
    pub fn into_inner(self) -> Bytes {
        self.0
    }
}

impl Deref for VerifiedBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl FromRequest for VerifiedBody {
    type Error = MiddlewareMissing;
    type Future = Ready<Result<Self, MiddlewareMissing>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let body = request.extensions().get::<Self>().cloned();
        ready(body.ok_or_else(|| MiddlewareMissing::at(request)))
    }
}

/// A handler takes [`Verified`] or [`VerifiedBody`] and no [`VerifyWebhook`](crate::VerifyWebhook) guards its route.
#[derive(Clone, Debug)]
pub struct MiddlewareMissing(());

impl MiddlewareMissing {
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
    fn at(request: &HttpRequest) -> Self {
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = request.path(),
            "a handler takes `Verified` or `VerifiedBody`, but no `VerifyWebhook` guards its route: wrap the route in it; \
             until then it answers 500"
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
