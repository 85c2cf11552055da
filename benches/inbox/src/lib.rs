//! What the benchmarks of the inbox share.

mod deliveries;
mod rates;

pub use deliveries::deliveries;
pub use rates::{Rate, Rates, resident_bytes};
