use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use countersign_tower::{LayerMissing, Verified};

use super::{Event, EventRejection, answer};
use crate::FromDelivery;

impl<S: Sync, T: FromDelivery> FromRequestParts<S> for Event<T> {
    type Rejection = EventRejection<LayerMissing>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let verified = Verified::from_request_parts(parts, state).await.map_err(EventRejection::Unguarded)?;
        Self::new(verified.into_inner()).map_err(EventRejection::Event)
    }
}

impl IntoResponse for EventRejection<LayerMissing> {
    fn into_response(self) -> Response {
        match self {
            Self::Unguarded(missing) => missing.into_response(),
            Self::Event(error) => {
                let status =
                    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = (status, answer(&error)).into_response();
                response.extensions_mut().insert(error);
                response
            }
        }
    }
}
