//! What is to be done with a delivery.

use std::{fmt, time::Duration};

use crate::{Running, StoreError};

/// What [`Once::begin`](crate::Once::begin) decides about one attempt at a delivery.
#[derive(Debug)]
#[must_use = "a handler may only run where this says so"]
pub enum Decision {
    /// Run the handler, then call [`Running::complete`] or [`Running::release`].
    Handle(Running),
    /// The delivery was handled. Answer with success, without the handler, so that the sender stops.
    Duplicate,
    /// Another attempt is in the handler. Answer 503, so that the sender comes again.
    InProgress {
        /// How long the other attempt's lease still runs, where the store knows: the longest that the sender has to wait.
        lease_left: Option<Duration>,
    },
    /// The store gave no answer, and the set-up says to refuse. Answer 503, so that the sender comes again.
    Unavailable(StoreError),
}

impl Decision {
    /// The decision as a word, for logs and metrics.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Handle(running) => running.outcome(),
            Self::Duplicate => Outcome::Duplicate,
            Self::InProgress { .. } => Outcome::InProgress,
            Self::Unavailable(_) => Outcome::Unavailable,
        }
    }
}

/// The decision about one attempt at a delivery, for logs, metrics and response extensions.
///
/// `Display` and [`as_str`](Self::as_str) write it in snake case: `new`, `in_progress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler runs and holds a claim.
    New,
    /// The handler does not run: the delivery was handled before.
    Duplicate,
    /// The handler does not run: another attempt holds the claim.
    InProgress,
    /// The handler runs without a claim: the store gave no answer, and the set-up says to go on.
    Unguarded,
    /// The handler does not run: the store gave no answer.
    Unavailable,
}

impl Outcome {
    /// The outcome in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Duplicate => "duplicate",
            Self::InProgress => "in_progress",
            Self::Unguarded => "unguarded",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
