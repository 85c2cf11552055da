//! The names and labels of the metrics (feature `metrics`).
//!
//! They go to the recorder of the [`metrics`](https://docs.rs/metrics/0.24) facade that the process has installed, such as a
//! Prometheus exporter. Without one, they go nowhere.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`countersign_deliveries_verified_total`](VERIFIED) | counter | `sender`, `key` |
//! | [`countersign_deliveries_rejected_total`](REJECTED) | counter | `sender`, `reason`, `key` |
//! | [`countersign_body_size_bytes`](BODY_SIZE) | histogram | `sender`, `verdict` |
//! | [`countersign_verification_duration_seconds`](VERIFICATION_DURATION) | histogram | `sender`, `verdict` |
//! | [`countersign_receiving_duration_seconds`](RECEIVING_DURATION) | histogram | `sender`, `verdict` |
//! | [`countersign_bodies_in_flight`](BODIES_IN_FLIGHT) | gauge | `sender` |
//! | [`countersign_body_budget_bytes`](BODY_BUDGET) | gauge | `budget` |
//! | [`countersign_body_budget_left_bytes`](BODY_BUDGET_LEFT) | gauge | `budget` |
//! | [`countersign_key_active`](KEY_ACTIVE) | gauge | `sender`, `key` |
//! | [`countersign_key_expires_timestamp_seconds`](KEY_EXPIRES) | gauge | `sender`, `key` |
//! | [`countersign_key_last_matched_timestamp_seconds`](KEY_LAST_MATCHED) | gauge | `sender`, `key` |
//! | [`countersign_key_last_needed_timestamp_seconds`](KEY_LAST_NEEDED) | gauge | `sender`, `key` |
//!
//! | label | values |
//! |---|---|
//! | `sender` | [`Scheme::name`](crate::Scheme::name), or the names of all senders of a verifier if nothing told which it was |
//! | `key` | the id of a key; empty with a rejection that names no key |
//! | `reason` | [`RejectionKind::as_str`](crate::RejectionKind::as_str) |
//! | `verdict` | `verified`, `rejected` |
//! | `budget` | the name given to [`BodyBudget::named`](crate::BodyBudget::named), or `default` |
//!
//! The set-up chooses every label value, and no request can add one. Keys of different tenants may share an id, such as `2026-q4`: that
//! keeps the number of series small.
//!
//! The metrics of bodies cover the deliveries whose head passed every check, as an adapter receives them. Those of keys are set by
//! [`Verifier::report_keys`](crate::Verifier::report_keys).

use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

/// Counts the deliveries that were verified, by sender and key. A key that has verified none yet counts 0.
pub const VERIFIED: &str = "countersign_deliveries_verified_total";

/// Counts the deliveries that were rejected, by sender and reason.
pub const REJECTED: &str = "countersign_deliveries_rejected_total";

/// The sizes of bodies: of a rejected one, the bytes that were read.
pub const BODY_SIZE: &str = "countersign_body_size_bytes";

/// The time spent on each verification. Waiting for the body is not part of it.
pub const VERIFICATION_DURATION: &str = "countersign_verification_duration_seconds";

/// The time from the head of each delivery to its verdict. Waiting for the body is most of it.
pub const RECEIVING_DURATION: &str = "countersign_receiving_duration_seconds";

/// The bodies that are being received at this moment.
pub const BODIES_IN_FLIGHT: &str = "countersign_bodies_in_flight";

/// The size of a body budget. It shows once the budget is used.
pub const BODY_BUDGET: &str = "countersign_body_budget_bytes";

/// The bytes of a body budget that are not reserved at this moment. It shows once the budget is used.
pub const BODY_BUDGET_LEFT: &str = "countersign_body_budget_left_bytes";

/// 1 for a key that is active; 0 for one that is not, or that the verifier no longer holds.
pub const KEY_ACTIVE: &str = "countersign_key_active";

/// When a key expires, in seconds since 1970; 0 for one that does not, or that the verifier no longer holds.
pub const KEY_EXPIRES: &str = "countersign_key_expires_timestamp_seconds";

/// When a key last made a delivery's signature, in seconds since 1970; 0 for one that has made none.
pub const KEY_LAST_MATCHED: &str = "countersign_key_last_matched_timestamp_seconds";

/// When a delivery was last verified that no other active key signed, in seconds since 1970; 0 for a key that no delivery needed.
pub const KEY_LAST_NEEDED: &str = "countersign_key_last_needed_timestamp_seconds";

/// Gives the recorder the description and the unit of each metric. Call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(VERIFIED, Unit::Count, "Webhook deliveries whose signature was verified.");
    describe_counter!(REJECTED, Unit::Count, "Webhook deliveries that were rejected, by the reason.");
    describe_histogram!(BODY_SIZE, Unit::Bytes, "Sizes of the bodies of webhook deliveries.");
    describe_histogram!(
        VERIFICATION_DURATION,
        Unit::Seconds,
        "Time spent verifying a webhook delivery, without waiting for its body."
    );
    describe_histogram!(
        RECEIVING_DURATION,
        Unit::Seconds,
        "Time from the head of a webhook delivery to its verdict."
    );
    describe_gauge!(BODIES_IN_FLIGHT, Unit::Count, "Bodies of webhook deliveries that are being received.");
    describe_gauge!(BODY_BUDGET, Unit::Bytes, "Size of the budget for bodies of webhook deliveries.");
    describe_gauge!(
        BODY_BUDGET_LEFT,
        Unit::Bytes,
        "What is left of the budget for bodies of webhook deliveries."
    );
    describe_gauge!(KEY_ACTIVE, Unit::Count, "1 for a webhook key that is active.");
    describe_gauge!(KEY_EXPIRES, Unit::Seconds, "When a webhook key expires; 0 for never.");
    describe_gauge!(
        KEY_LAST_MATCHED,
        Unit::Seconds,
        "When a webhook key last made a signature; 0 for never."
    );
    describe_gauge!(
        KEY_LAST_NEEDED,
        Unit::Seconds,
        "When a webhook delivery was last verified that only this key signed; 0 for never."
    );
}

pub(crate) fn verified(sender: &str, key: &str) {
    counter!(VERIFIED, "sender" => sender.to_owned(), "key" => key.to_owned()).increment(1);
}

pub(crate) fn rejected(sender: &str, reason: &'static str, key: &str) {
    counter!(REJECTED, "sender" => sender.to_owned(), "reason" => reason, "key" => key.to_owned())
        .increment(1);
}

/// Makes a key show before it has verified anything.
pub(crate) fn holds(sender: &str, key: &str) {
    counter!(VERIFIED, "sender" => sender.to_owned(), "key" => key.to_owned()).increment(0);
}

/// Sets one of the gauges of a key.
pub(crate) fn key(name: &'static str, sender: &str, key: &str, value: u64) {
    gauge!(name, "sender" => sender.to_owned(), "key" => key.to_owned()).set(float(value));
}

/// Sets one of the gauges of a body budget.
#[cfg(feature = "bytes")]
pub(crate) fn budget(name: &'static str, budget: &str, bytes: usize) {
    gauge!(name, "budget" => budget.to_owned()).set(float(u64::try_from(bytes).unwrap_or(u64::MAX)));
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, exact up to 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}
