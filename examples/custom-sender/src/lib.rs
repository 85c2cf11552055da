//! A custom sender from a configuration file: endpoints that the file states, served by axum or actix-web.

mod answer;
mod endpoints;
pub mod in_actix;
pub mod in_axum;

pub use answer::Answer;
pub use endpoints::{Endpoint, SetupError, endpoints, endpoints_from_file};
