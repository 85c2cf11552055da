//! What can go wrong.

use std::{error::Error, fmt, sync::Arc, time::Duration};

/// The database did not do what was asked, or nobody knows whether it did.
///
/// `Display` says what happened, in the words of the database.
#[derive(Clone, Debug)]
pub struct StoreError(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Database(Arc<sqlx::Error>),
    TimedOut(Duration),
    Stopped,
    RolledBack,
    #[cfg(test)]
    Refused(&'static str),
}

impl StoreError {
    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self(Kind::TimedOut(limit))
    }

    pub(crate) fn stopped() -> Self {
        Self(Kind::Stopped)
    }

    pub(crate) fn rolled_back() -> Self {
        Self(Kind::RolledBack)
    }

    #[cfg(test)]
    pub(crate) fn refused(why: &'static str) -> Self {
        Self(Kind::Refused(why))
    }

    /// Whether the database gave no answer within [`InboxBuilder::store_timeout`](crate::InboxBuilder::store_timeout).
    pub fn is_timeout(&self) -> bool {
        matches!(self.0, Kind::TimedOut(_))
    }

    /// Whether the database answered that it will not do it, as opposed to not answering.
    pub(crate) fn is_refusal(&self) -> bool {
        match &self.0 {
            Kind::Database(error) => error.as_database_error().is_some(),
            Kind::TimedOut(_) | Kind::Stopped | Kind::RolledBack => false,
            #[cfg(test)]
            Kind::Refused(_) => true,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self(Kind::Database(Arc::new(error)))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Database(error) => write!(f, "the inbox's database failed: {error}"),
            Kind::TimedOut(limit) => write!(f, "the inbox's database gave no answer within {limit:?}"),
            Kind::Stopped => f.write_str("the runtime that the inbox was built on has shut down"),
            Kind::RolledBack => f.write_str(
                "the transaction was over before its commit: the database rolled it back when a statement in it failed, or the handler ended it",
            ),
            #[cfg(test)]
            Kind::Refused(why) => f.write_str(why),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            // `Display` has the database's own words already.
            Kind::Database(error) => error.source(),
            _ => None,
        }
    }
}

/// A delivery was not stored. Answer 503 with `Retry-After`, so that the sender comes again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// The inbox holds as many unfinished deliveries as [`backlog_limit`](crate::InboxBuilder::backlog_limit) allows.
    Full {
        /// The limit.
        limit: u32,
    },
    /// The database did not commit it, or the answer was lost. In the latter case the retry is a duplicate.
    Store(StoreError),
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { limit } => {
                write!(f, "the inbox holds {limit} unfinished deliveries, its backlog limit")
            }
            Self::Store(failure) => failure.fmt(f),
        }
    }
}

impl Error for AcceptError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Full { .. } => None,
            Self::Store(failure) => failure.source(),
        }
    }
}

/// A transaction was not committed. None of its effects is there, unless the commit's own answer was lost.
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// The lease ran out and another worker took over, or a person mended the delivery. Nothing was committed.
    Lost,
    /// The database failed.
    Store(StoreError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => {
                f.write_str("the delivery is not this worker's any more, so its transaction was rolled back")
            }
            Self::Store(failure) => failure.fmt(f),
        }
    }
}

impl Error for CommitError {}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// An inbox cannot work like this.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The database is set up so that it may lose what it has committed.
    NotDurable {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The tables are of a later version of this crate.
    SchemaTooNew {
        /// The version of the tables.
        present: i64,
        /// The latest version that this program knows.
        known: usize,
    },
    /// The tables are of an earlier version of this crate, or empty of any, and
    /// [`without_migration`](crate::InboxBuilder::without_migration) leaves them to you.
    SchemaTooOld {
        /// The version of the tables. 0: none is recorded.
        present: i64,
        /// The version that this program needs.
        known: usize,
    },
    /// The time limit for the database is zero: no delivery would ever be stored.
    NoTimeForTheStore,
    /// The backlog limit is zero: no delivery would ever be stored.
    NoRoom,
    /// A worker with this setting at zero would do nothing.
    NothingToDo(&'static str),
    /// A header to be kept has a name that no header can have.
    HeaderName(String),
    /// The name of the instance contains a NUL, which PostgreSQL cannot store.
    InstanceName,
    /// The operating system gave no random bytes.
    Randomness(Box<dyn Error + Send + Sync>),
    /// The database failed.
    Store(StoreError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDurable { setting, value } => write!(
                f,
                "the database may lose what it has committed: its setting `{setting}` is {value}, and an inbox must not lose anything"
            ),
            Self::SchemaTooNew { present, known } => write!(
                f,
                "the inbox's tables have version {present}, and this program knows versions up to {known}"
            ),
            Self::SchemaTooOld { present, known } => write!(
                f,
                "the inbox's tables have version {present}, and this program needs version {known}: run the migrations in between"
            ),
            Self::NoTimeForTheStore => f.write_str("the store timeout is zero"),
            Self::NoRoom => f.write_str("the backlog limit is zero"),
            Self::NothingToDo(setting) => write!(f, "a worker's {setting} is zero"),
            Self::HeaderName(name) => write!(f, "no header can have the name {name:?}"),
            Self::InstanceName => f.write_str("the instance's name contains a NUL"),
            Self::Randomness(_) => f.write_str("the operating system gave no random bytes"),
            Self::Store(failure) => failure.fmt(f),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Randomness(source) => Some(&**source),
            Self::Store(failure) => failure.source(),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for BuildError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
