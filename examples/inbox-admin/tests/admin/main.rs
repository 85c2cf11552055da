//! The command and the page, on an inbox with hostile deliveries.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong ends in a panic")]

mod browser;
mod command;
mod desk;
mod page;
