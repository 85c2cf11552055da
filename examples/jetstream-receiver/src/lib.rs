//! An axum receiver that keeps verified deliveries in a NATS JetStream stream, and a worker that handles them.

mod deliveries;
mod receiver;
mod worker;

pub use deliveries::{Deliveries, OpenError, Published};
pub use receiver::router;
pub use worker::{Delivery, Worker};
