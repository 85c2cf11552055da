//! Handles each delivery once (feature `once`).

mod claim;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod layer;
mod service;
mod settings;

#[cfg(feature = "axum")]
pub use self::extract::ClaimMissing;
pub use self::{claim::OnceClaim, future::HandleOnceFuture, layer::HandleOnceLayer, service::HandleOnce};
