//! The rule, the stores and the kit.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

mod cancellation;
mod conformance;
mod flawed_store;
mod memory_store;
#[cfg(feature = "metrics")]
mod metrics;
mod postgres_store;
mod redis_cluster;
mod redis_store;
#[cfg(feature = "redis-tls")]
mod redis_tls;
mod rule;
mod scripted_store;
mod sql;
mod sqlite_store;
