//! Shared by the binaries of this package: the measuring loop, the deliveries, and the contestants.
//!
//! All contestants of a case take turns in one process, on the same deliveries. Compare rows of one file only.

pub mod actix;
pub mod bare;
pub mod contest;
pub mod delivery;
pub mod group;
pub mod matrix;
pub mod measure;
pub mod report;
pub mod tenants;
pub mod tower;
