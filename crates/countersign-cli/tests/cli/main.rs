//! Runs the program `countersign` as a user would.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

mod check_config;
mod documentation;
mod guide;
mod listen;
mod named;
mod program;
mod receiver;
mod send;
mod senders;
mod serve;
mod sign;
mod verify;
