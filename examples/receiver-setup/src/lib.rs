//! Shared by the example receivers: keys from the environment, routes and answers.

mod answer;
pub mod demo_keys;
mod endpoints;

pub use answer::Answer;
pub use endpoints::{Endpoint, SetupError, demo_endpoints, endpoints_from_env};
