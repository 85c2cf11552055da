use std::{error::Error, fmt};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_once::StoreError;

/// Why a verified delivery changed no order. The log has the reason; the sender gets the status only.
pub enum Failure {
    /// 422: the event is about an order, but names none.
    NoOrder(Box<dyn Error + Send + Sync>),
    /// 503: the handler outlived its lease, and another attempt has the delivery.
    TakenOver,
    /// 500: the database failed, and the transaction is rolled back.
    Database(Box<dyn Error + Send + Sync>),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrder(reason) => write!(f, "the event names no order: {reason}"),
            Self::TakenOver => {
                f.write_str("the handler outlived its lease, and another attempt has the delivery")
            }
            Self::Database(reason) => write!(f, "the database failed: {reason}"),
        }
    }
}

/// Prints the message: a `main` that returns an error prints its `Debug` form.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failure {}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        let status = match self {
            Self::NoOrder(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TakenOver => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        status.into_response()
    }
}
