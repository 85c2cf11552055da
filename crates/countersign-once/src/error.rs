//! What can go wrong.

use std::{error::Error, fmt, time::Duration};

/// A call of the store failed, so that nobody knows what the store remembers of it.
///
/// `Display` says what happened, in the words of the store's own client.
#[derive(Debug)]
pub struct StoreError(Kind);

#[derive(Debug)]
enum Kind {
    Failed(Box<dyn Error + Send + Sync>),
    TimedOut(Duration),
}

impl StoreError {
    /// Wraps the error of the store's client. Without one, pass a `&str` or a `String`.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Kind::Failed(source.into()))
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self(Kind::TimedOut(limit))
    }

    /// Whether the store gave no answer within [`OnceBuilder::store_timeout`](crate::OnceBuilder::store_timeout).
    pub fn is_timeout(&self) -> bool {
        matches!(self.0, Kind::TimedOut(_))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Failed(source) => write!(f, "the store failed: {source}"),
            Kind::TimedOut(limit) => write!(f, "the store gave no answer within {limit:?}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            // `Display` has the client's own words already.
            Kind::Failed(source) => source.source(),
            Kind::TimedOut(_) => None,
        }
    }
}

/// The settings of a [`Once`](crate::Once) or of [`Answers`](crate::Answers) cannot work.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The keep time is zero: the store would forget a delivery as soon as it was handled.
    NothingKept,
    /// The lease is not longer than the time limit for a call of the store, so that it could run out before the answer
    /// that grants it arrives.
    LeaseWithinStoreTimeout {
        /// [`OnceBuilder::lease`](crate::OnceBuilder::lease).
        lease: Duration,
        /// [`OnceBuilder::store_timeout`](crate::OnceBuilder::store_timeout).
        store_timeout: Duration,
    },
    /// The time limit for a call of the store is zero: every store that waits for anything would be unavailable.
    NoTimeForTheStore,
    /// The status for duplicates is not a success, so the sender would repeat them.
    DuplicateStatus(u16),
    /// The status for deliveries in progress is not an error, so the sender would not repeat them.
    InProgressStatus(u16),
    /// The operating system gave no random bytes.
    Randomness(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingKept => f.write_str("the keep time is zero"),
            Self::LeaseWithinStoreTimeout { lease, store_timeout } => {
                write!(f, "the lease ({lease:?}) is not longer than the store timeout ({store_timeout:?})")
            }
            Self::NoTimeForTheStore => f.write_str("the store timeout is zero"),
            Self::DuplicateStatus(status) => {
                write!(
                    f,
                    "the status for duplicates is {status}, after which the sender would repeat them: use 200 to 299"
                )
            }
            Self::InProgressStatus(status) => {
                write!(
                    f,
                    "the status for deliveries in progress is {status}, after which the sender would not repeat them: \
                     use 400 to 599"
                )
            }
            Self::Randomness(source) => write!(f, "the operating system gave no random bytes: {source}"),
        }
    }
}

impl Error for BuildError {}
