//! What the feature `metrics` counts. Without it, all of this is empty.

#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod on;

#[cfg(not(feature = "metrics"))]
pub(crate) use off::{Method, Sender, Wait};
#[cfg(feature = "metrics")]
pub(crate) use on::{Method, Sender, Wait};
