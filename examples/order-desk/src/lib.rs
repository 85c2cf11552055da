//! An axum service that keeps the orders of five senders in SQLite, and counts each delivery once.
//!
//! A delivery passes three layers, outermost first: the guard verifies it, `HandleOnceLayer` claims it, and `Event<T>` parses it. The
//! handler then changes the orders and completes the claim in one transaction, so that no crash leaves one without the other.

mod desk;
mod failure;
mod order_event;
mod orders;
mod page;

pub use desk::{UnknownSender, router};
pub use failure::Failure;
pub use order_event::{Change, OrderEvent};
pub use orders::{Order, Orders};
