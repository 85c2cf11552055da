//! Sends the same deliveries through every surface and asserts the exact verdict on each.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

mod bodies;
mod config;
mod content;
mod documents;
mod events;
mod examples;
mod expiring;
mod guard;
mod handle_once;
mod harness;
mod identity;
mod identity_fields;
mod inbox;
mod inbox_events;
mod key_use;
mod keys;
mod layering;
mod lingering;
mod lists;
mod load;
mod log;
mod metrics;
mod middleware;
mod mistakes;
mod once_cancelled;
mod once_in_sql;
mod once_interrupted;
mod once_metrics;
mod once_shared;
mod parsing;
mod properties;
mod rejections;
mod rooms;
mod rotating;
mod rotating_files;
mod schemes;
mod senders;
mod several;
mod sockets;
mod span;
mod tenant_lookups;
mod tenants;
mod texts;
mod timestamps;
mod vectors;
mod weak_secrets;
mod wycheproof;
