//! A tower layer that verifies the signature of a webhook delivery before any handler runs.

mod body;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod headers;
mod layer;
mod service;

pub use body::{ResponseBody, VerifiedBody};
#[cfg(feature = "axum")]
pub use extract::{LayerMissing, Verified};
pub use future::ResponseFuture;
pub use layer::VerifyWebhookLayer;
pub use service::VerifyWebhook;
