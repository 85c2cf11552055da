//! Broken deliveries, each made by a real mistake, and what the explainer says about them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod bodies;
mod broken;
mod heads;
mod properties;
mod schemes;
mod secrets;
mod table;
