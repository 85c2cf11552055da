//! The names and labels of the metrics (feature `metrics`).
//!
//! They go to the recorder of the [`metrics`](https://docs.rs/metrics/0.24) facade that the process has installed, such as a
//! Prometheus exporter. Without one, they go nowhere.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`countersign_tenants_lookup_duration_seconds`](LOOKUP_DURATION) | histogram | `result` |
//!
//! `result` is `known`, `unknown`, `error`, `panic` or `timeout`. The name of a tenant is never a label: the caller chooses it.

use std::time::Duration;

use ::metrics::{Unit, describe_histogram, histogram};
use countersign::Verifier;

use crate::failure::Failure;

/// How long each lookup took, in seconds, with its wait for a turn. Answers from the cache are none.
pub const LOOKUP_DURATION: &str = "countersign_tenants_lookup_duration_seconds";

/// Gives the recorder the description and the unit of each metric. Call it once, after the recorder is installed.
pub fn describe() {
    describe_histogram!(LOOKUP_DURATION, Unit::Seconds, "Lookups of a webhook tenant that was not cached.");
}

pub(crate) fn looked_up(resolved: &Result<Option<Verifier>, Failure>, took: Duration) {
    let result = match resolved {
        Ok(Some(_)) => "known",
        Ok(None) => "unknown",
        Err(Failure::Panicked) => "panic",
        Err(Failure::TimedOut(_)) => "timeout",
        Err(_) => "error",
    };
    histogram!(LOOKUP_DURATION, "result" => result).record(took);
}
