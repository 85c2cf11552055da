//! What is to be done with a delivery.

use std::time::Duration;

use crate::{Outcome, Running, StoreError};

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

    /// Why the store gave no answer, if it gave none.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        match self {
            Self::Handle(running) => running.failure(),
            Self::Unavailable(failure) => Some(failure),
            Self::Duplicate | Self::InProgress { .. } => None,
        }
    }
}
