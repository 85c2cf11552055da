//! Handles each webhook delivery once.

mod builder;
mod call;
mod claim;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decision;
mod error;
mod log;
#[cfg(feature = "memory")]
mod memory_store;
#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
mod millis;
mod once;
#[cfg(feature = "redis")]
mod redis_store;
mod running;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql_store;
mod store;

pub use builder::{DEFAULT_RETRIES_FOR, OnceBuilder, WhenUnavailable};
pub use claim::{Claim, Token};
pub use countersign::Identity;
pub use decision::{Decision, Outcome};
pub use error::{BuildError, StoreError};
#[cfg(feature = "memory")]
pub use memory_store::MemoryStore;
pub use once::Once;
#[cfg(feature = "redis")]
pub use redis_store::RedisStore;
pub use running::Running;
#[cfg(feature = "postgres")]
pub use sql_store::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sql_store::SqliteStore;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use sql_store::{Dialect, SqlStore, Sweeper};
pub use store::{ClaimAnswer, Fence, Store};
