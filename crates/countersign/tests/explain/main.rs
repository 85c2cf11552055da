//! Broken deliveries, each made by a real mistake, and what the explainer says about them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod broken;
mod properties;
mod table;
