//! Handles each delivery once (feature `once`).

mod claim;
mod extract;
mod middleware;
mod settings;
mod transform;

#[doc(hidden)]
pub use self::middleware::HandleOnceMiddleware;
pub use self::{claim::OnceClaim, extract::ClaimMissing, transform::HandleOnce};
