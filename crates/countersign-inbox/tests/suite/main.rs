//! The inbox in both databases.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

mod accepting;
mod deliveries;
mod desk;
mod disk;
mod leases;
mod limits;
mod mending;
mod ordering;
mod outages;
mod signing;
mod transactions;
mod vanished;
mod working;
