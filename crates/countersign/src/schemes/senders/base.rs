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

/// Facts that one page states completely.
pub(super) const fn stated(source: &'static str) -> Facts {
    Facts { source, checked: "2026-11-21", inferred: &[] }
}

pub(super) const fn within(seconds: u64) -> Tolerance {
    Tolerance::within(Duration::from_secs(seconds))
}

pub(super) const FIVE_MINUTES: Tolerance = within(300);

pub(super) const TOLERANCE_IS_OURS: &str = "the tolerance: the sender documents none";
