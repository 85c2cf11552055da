//! Shows and mends the deliveries in an inbox, from a command line and on a page.

mod any_inbox;
mod instant;
mod page;
mod report;
mod server;

pub use any_inbox::{AnyInbox, OpenError};
pub use instant::{Instant, parse_instant};
pub use report::Report;
pub use server::{NotLoopback, router, serve};
