//! What the benchmarks of the inbox share.

mod deliveries;
mod plain;
mod rates;

pub use deliveries::{Signed, deliveries, signed, verifier};
pub use plain::Plain;
pub use rates::{Rate, Rates, resident_bytes};
