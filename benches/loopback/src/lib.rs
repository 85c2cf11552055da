//! Shared by the server and its driver: the contestants, the key, and the counters.

use std::fmt;

use clap::ValueEnum;
use hmac::{Hmac, KeyInit};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub const SECRET: &str = "It's a Secret to Everybody";

/// A keyed state, made once and cloned for each delivery.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn key_schedule() -> Hmac<Sha256> {
    Hmac::new_from_slice(SECRET.as_bytes()).expect("a key of any length")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Framework {
    Axum,
    Actix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// The handler takes the body and answers 200.
    Plain,
    /// The handler takes the body, computes its HMAC-SHA256 without comparing it, and answers 200.
    Hashing,
    /// The hashing handler behind a layer that does nothing, which shows the framework's cost for any layer.
    Layered,
    /// The plain handler behind Countersign, configured as in the README, with a `body_timeout`.
    Guarded,
    /// The same without `body_timeout`, which shows the cost of the timer.
    GuardedUntimed,
}

/// A server's counts since it started, printed as a line of JSON for each line on its stdin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that reached the handler.
    pub accepted: u64,
    /// Requests that the guard rejected, counted by its `on_reject` hook.
    pub refused: u64,
    /// Bytes of bodies that the guard, or the handler if unguarded, took from the framework (`--count`).
    pub taken: u64,
    /// Bytes that the framework read from its sockets, including heads (`--count`).
    pub read: u64,
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        argument(self, f)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        argument(self, f)
    }
}

fn argument(value: &impl ValueEnum, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    value.to_possible_value().map_or(Ok(()), |name| f.write_str(name.get_name()))
}
