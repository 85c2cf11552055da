//! Shared by the example receivers: keys from the environment, routes, answers, the memory of deliveries, an inbox, and the shutdown.

mod answer;
pub mod demo_keys;
mod endpoints;
mod inbox;
mod memory;
mod shutdown;

pub use answer::Answer;
pub use endpoints::{Endpoint, SetupError, demo_endpoints, endpoints_from_env};
pub use inbox::{WorkedInbox, log_handled};
pub use memory::{Memory, once_in_memory};
pub use shutdown::{SHUTDOWN_GRACE, Shutdown, serve, shutdown};
