//! The rule, the stores and the kit.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

#[cfg(feature = "memory")]
mod cancellation;
#[cfg(feature = "conformance")]
mod conformance;
#[cfg(feature = "conformance")]
mod flawed_store;
#[cfg(feature = "memory")]
mod memory_store;
#[cfg(feature = "postgres")]
mod postgres_store;
#[cfg(feature = "redis")]
mod redis_store;
#[cfg(feature = "memory")]
mod rule;
#[cfg(feature = "memory")]
mod scripted_store;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite_store;
