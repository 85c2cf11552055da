//! The parts that named senders share.

use std::{borrow::Cow, time::Duration};

use crate::{
    keys::algorithm::Algorithm,
    schemes::scheme::{Facts, Scheme},
    wire::{encoding::Encoding, timestamp::Tolerance},
};

/// A scheme with one signature of the body alone: the base for senders that do more.
pub(super) fn signed(
    name: &'static str,
    header: &'static str,
    algorithm: Algorithm,
    encoding: Encoding,
    facts: Facts,
) -> Scheme {
    let plain = Scheme::plain(Cow::Borrowed(name), Cow::Borrowed(header), algorithm, encoding);
    Scheme { facts: Some(facts), ..plain }
}

pub(super) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(60))
}

pub(super) const fn hours(count: u64) -> Duration {
    minutes(count.saturating_mul(60))
}

/// Facts that one page states completely.
pub(super) const fn stated(source: &'static str) -> Facts {
    Facts { source, checked: "2026-11-21", inferred: &[] }
}

pub(super) const fn within(seconds: u64) -> Tolerance {
    Tolerance::within(Duration::from_secs(seconds))
}

pub(super) const FIVE_MINUTES: Tolerance = within(300);

/// For senders whose identity is the body's digest.
pub(super) const RETRIES_REPEAT_THE_BODY: &str = "that a retry repeats the body";

pub(super) const TOLERANCE_IS_OURS: &str = "the tolerance: the sender documents none";
