//! The names and labels of the metrics (feature `metrics`).
//!
//! They go to the recorder of the [`metrics`](https://docs.rs/metrics/0.24) facade that the process has installed, such as a
//! Prometheus exporter. Without one, they go nowhere.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`countersign_deliveries_verified_total`](VERIFIED) | counter | `sender`, `key` |
//! | [`countersign_deliveries_rejected_total`](REJECTED) | counter | `sender`, `reason`, `key` |
//!
//! | label | values |
//! |---|---|
//! | `sender` | [`Scheme::name`](crate::Scheme::name), or the names of all senders of a verifier if nothing told which it was |
//! | `key` | the id of the key that made the signature; empty with a rejection that names no key |
//! | `reason` | [`RejectionKind::as_str`](crate::RejectionKind::as_str) |
//!
//! The set-up chooses every label value, and no request can add one.
//!
//! An old key may go once its count in `countersign_deliveries_verified_total` has not grown for as long as its sender retries. A secret
//! that a sender was given and that never shows there is not in use.

use ::metrics::{Unit, counter, describe_counter};

/// Counts the deliveries that were verified, by sender and key.
pub const VERIFIED: &str = "countersign_deliveries_verified_total";

/// Counts the deliveries that were rejected, by sender and reason.
pub const REJECTED: &str = "countersign_deliveries_rejected_total";

/// Gives the recorder the description and the unit of each metric. Call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(VERIFIED, Unit::Count, "Webhook deliveries whose signature was verified.");
    describe_counter!(REJECTED, Unit::Count, "Webhook deliveries that were rejected, by the reason.");
}

pub(crate) fn verified(sender: &str, key: &str) {
    counter!(VERIFIED, "sender" => sender.to_owned(), "key" => key.to_owned()).increment(1);
}

pub(crate) fn rejected(sender: &str, reason: &'static str, key: &str) {
    counter!(REJECTED, "sender" => sender.to_owned(), "reason" => reason, "key" => key.to_owned())
        .increment(1);
}
