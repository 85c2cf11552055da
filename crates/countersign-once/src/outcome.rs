//! A decision as a word.

use std::fmt;

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
