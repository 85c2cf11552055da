//! Events of each sender: from documented deliveries, from bad bodies, and from nothing but a verified delivery.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

mod bodies;
mod deliveries;
mod errors;
mod origin;
mod properties;
mod senders;
mod times;
mod words;
