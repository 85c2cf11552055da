//! The suite: the same deliveries through every surface, with the exact verdict asserted on each.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

mod bodies;
mod bug_classes;
mod config;
mod content;
mod examples;
mod guard;
mod harness;
mod identity;
mod identity_fields;
mod keys;
mod layering;
mod lists;
mod load;
mod log;
mod middleware;
mod mistakes;
mod parsing;
mod properties;
mod rejections;
mod schemes;
mod senders;
mod several;
mod sockets;
mod timestamps;
mod vectors;
mod wycheproof;
