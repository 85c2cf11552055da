//! `countersign listen`
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that goes wrong ends in a panic"
)]

mod access;
mod browser;
mod faults;
mod forwarding;
mod hostile;
mod http;
mod keeping;
pub(crate) mod listening;
mod resigning;
mod service;
mod terminal;
