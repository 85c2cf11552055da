//! The names and labels of the metrics (feature `metrics`).
//!
//! They go to the recorder of the [`metrics`](https://docs.rs/metrics/0.24) facade that the process has installed, such as a
//! Prometheus exporter. Without one, they go nowhere. With the feature on, each delivery makes at least two small allocations more,
//! for the labels of its counters.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`countersign_once_decisions_total`](DECISIONS) | counter | `sender`, `outcome` |
//! | [`countersign_once_claims_ended_total`](CLAIMS_ENDED) | counter | `sender`, `end` |
//! | [`countersign_once_store_call_duration_seconds`](STORE_CALL_DURATION) | histogram | `call`, `result` |
//!
//! | label | values |
//! |---|---|
//! | `sender` | the name of the [scheme](countersign::Scheme::name) given to [`begin_from`](crate::Once::begin_from); [`UNKNOWN_SENDER`] after [`begin`](crate::Once::begin) |
//! | `outcome` | [`Outcome::as_str`](crate::Outcome::as_str): `new`, `duplicate`, `in_progress`, `unguarded`, `unavailable` |
//! | `end` | `completed`; `released`; `lost`, if another attempt had taken over; `failed`, if the store never answered |
//! | `call` | the method of the [store](crate::Store): `claim`, `complete`, `extend`, `release` |
//! | `result` | `ok`; `error`; `timeout`, after [`store_timeout`](crate::OnceBuilder::store_timeout) |
//!
//! The set-up chooses every label value, and no request can add one.
//!
//! A decision `new` leads to one ended claim, so the difference between the two counts is the number of handlers that are running
//! (or were, when the process was killed).

use ::metrics::{Unit, describe_counter, describe_histogram};

/// Counts what was decided about each attempt at a delivery.
pub const DECISIONS: &str = "countersign_once_decisions_total";

/// Counts the claims that handlers held, by how each ended. `failed` is counted once the background gives up.
pub const CLAIMS_ENDED: &str = "countersign_once_claims_ended_total";

/// How long [`Once`](crate::Once) waited for the store, in seconds, in each call. A call that is waited for again in the
/// background, or repeated there, counts again.
pub const STORE_CALL_DURATION: &str = "countersign_once_store_call_duration_seconds";

/// The label `sender` of deliveries whose sender [`Once`](crate::Once) was not told.
pub const UNKNOWN_SENDER: &str = "unknown";

/// Gives the recorder the description and the unit of each metric. Call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(DECISIONS, Unit::Count, "Attempts at a webhook delivery, by what was decided.");
    describe_counter!(CLAIMS_ENDED, Unit::Count, "Claims on a webhook delivery, by how they ended.");
    describe_histogram!(
        STORE_CALL_DURATION,
        Unit::Seconds,
        "Time spent waiting for the store that remembers webhook deliveries."
    );
}
