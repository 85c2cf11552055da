//! Receives Shopify's deliveries for many shops, whose secrets are in SQLite.

mod receivers;
mod shops;

pub use receivers::{serve_actix, serve_axum, tenants};
pub use shops::Shops;
