//! A sender of your own from a config file: the endpoints that the file states, served by axum or by actix-web.

mod answer;
mod endpoints;
pub mod in_actix;
pub mod in_axum;

pub use answer::Answer;
pub use endpoints::{Endpoint, SetupError, endpoints, endpoints_from_file};
