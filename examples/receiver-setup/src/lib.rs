//! Shared by the example receivers: keys from the environment, routes, answers, and the memory of deliveries.

mod answer;
pub mod demo_keys;
mod endpoints;
mod memory;

pub use answer::Answer;
pub use endpoints::{Endpoint, SetupError, demo_endpoints, endpoints_from_env};
pub use memory::{Memory, once_in_memory};
