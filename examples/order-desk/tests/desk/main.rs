//! The order desk, with deliveries as its five senders sign and repeat them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod answers;
mod killed;
mod sender;
