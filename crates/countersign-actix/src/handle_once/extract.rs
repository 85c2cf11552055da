use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode,
};
use countersign_once::Outcome;

use super::claim::OnceClaim;

impl FromRequest for OnceClaim {
    type Error = ClaimMissing;
    type Future = Ready<Result<Self, ClaimMissing>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let claim = request.extensions().get::<Self>().copied();
        ready(claim.ok_or_else(|| ClaimMissing::at(request)))
    }
}

/// Rejects a request whose handler takes [`OnceClaim`] but runs without a claim: 503 if the store is away, 500 if no
/// [`HandleOnce`](crate::HandleOnce) wraps the route.
#[derive(Clone, Debug)]
pub struct ClaimMissing(StatusCode);

impl ClaimMissing {
    fn at(request: &HttpRequest) -> Self {
        // The store's failure is logged already.
        if request.extensions().get::<Outcome>().is_some() {
            return Self(StatusCode::SERVICE_UNAVAILABLE);
        }
        #[cfg(feature = "tracing")]
        tracing::error!(
            path = request.path(),
            "a handler takes `OnceClaim`, but no `HandleOnce` wraps its route: add it inside the guard; until then the route \
             answers 500"
        );
        Self(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for ClaimMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler runs without a claim on the delivery")
    }
}

impl ResponseError for ClaimMissing {
    fn status_code(&self) -> StatusCode {
        self.0
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.0).body(match self.0 {
            StatusCode::SERVICE_UNAVAILABLE => "service unavailable\n",
            _ => "internal server error\n",
        })
    }
}
