//! What the bins of this package share: the measuring loop, the deliveries, and the contestants.
//!
//! Every contestant of a case runs in one process, in turn, on the same deliveries: compare rows of one file only.

pub mod actix;
pub mod bare;
pub mod contest;
pub mod delivery;
pub mod matrix;
pub mod measure;
pub mod report;
pub mod tower;
