//! Shared by the binaries of this package: identities, signed deliveries, the services they go through, and the rounds of
//! the stores that are servers.

pub mod actix;
pub mod axum;
pub mod cpu;
pub mod delivery;
pub mod identity;
pub mod rounds;
pub mod service;
