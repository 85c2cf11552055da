//! Handles each webhook delivery once.

mod builder;
mod call;
mod claim;
mod decision;
mod error;
mod log;
#[cfg(feature = "memory")]
mod memory_store;
mod once;
mod running;
mod store;

pub use builder::{DEFAULT_RETRIES_FOR, OnceBuilder, WhenUnavailable};
pub use claim::{Claim, Token};
pub use countersign::Identity;
pub use decision::{Decision, Outcome};
pub use error::{BuildError, StoreError};
#[cfg(feature = "memory")]
pub use memory_store::MemoryStore;
pub use once::Once;
pub use running::Running;
pub use store::{ClaimAnswer, Fence, Store};
