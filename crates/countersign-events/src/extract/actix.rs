use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode};
use countersign_actix::{MiddlewareMissing, Verified};

use super::{Event, EventRejection, answer};
use crate::FromDelivery;

impl<T: FromDelivery> FromRequest for Event<T> {
    type Error = EventRejection<MiddlewareMissing>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let verified = Verified::from_request(request, payload).into_inner();
        ready(
            verified
                .map_err(EventRejection::Unguarded)
                .and_then(|verified| Self::new(verified.into_inner()).map_err(EventRejection::Event)),
        )
    }
}

impl fmt::Display for EventRejection<MiddlewareMissing> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unguarded(missing) => missing.fmt(f),
            Self::Event(error) => error.fmt(f),
        }
    }
}

impl ResponseError for EventRejection<MiddlewareMissing> {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unguarded(missing) => missing.status_code(),
            Self::Event(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Unguarded(missing) => missing.error_response(),
            Self::Event(error) => {
                let mut response = HttpResponse::build(self.status_code()).body(answer(error));
                response.extensions_mut().insert(error.clone());
                response
            }
        }
    }
}
