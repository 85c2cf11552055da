use std::{error::Error, fmt, str::FromStr, time::Duration};

use countersign_inbox::{
    BuildError, Entry, Filter, Inbox, PostgresInbox, SqliteInbox, Stats, StoreError, Stored,
    sqlx::{
        self, PgPool,
        sqlite::{SqliteConnectOptions, SqlitePool, SqliteSynchronous},
    },
};

/// An inbox in either database.
#[derive(Clone, Debug)]
pub enum AnyInbox {
    /// In a file.
    Sqlite(SqliteInbox),
    /// On a server.
    Postgres(PostgresInbox),
}

/// Calls the same method of either inbox.
macro_rules! either {
    ($any:expr, $inbox:ident => $call:expr) => {
        match $any {
            AnyInbox::Sqlite($inbox) => $call,
            AnyInbox::Postgres($inbox) => $call,
        }
    };
}

impl AnyInbox {
    /// Opens the inbox at a URL (`sqlite:inbox.db`, `postgres://…`), which must be there already.
    ///
    /// # Errors
    ///
    /// The URL is for another database, or there is no inbox at it.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = PgPool::connect(url).await.map_err(OpenError::Connect)?;
            return Ok(Self::Postgres(Inbox::builder(pool).without_migration().build().await?));
        }
        if !url.starts_with("sqlite:") {
            return Err(OpenError::Url);
        }
        let options = SqliteConnectOptions::from_str(url).map_err(OpenError::Connect)?;
        let options = options.synchronous(SqliteSynchronous::Full).busy_timeout(Duration::from_secs(5));
        let pool = SqlitePool::connect_with(options).await.map_err(OpenError::Connect)?;
        Ok(Self::Sqlite(Inbox::builder(pool).without_migration().build().await?))
    }

    /// [`Inbox::stats`].
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        either!(self, inbox => inbox.stats().await)
    }

    /// [`Inbox::list`].
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn list(&self, filter: &Filter, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        either!(self, inbox => inbox.list(filter, after, limit).await)
    }

    /// [`Inbox::show`].
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn show(&self, id: i64) -> Result<Option<Stored>, StoreError> {
        either!(self, inbox => inbox.show(id).await)
    }

    /// [`Inbox::retry`].
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn retry(&self, filter: &Filter) -> Result<u64, StoreError> {
        either!(self, inbox => inbox.retry(filter).await)
    }

    /// [`Inbox::replay`].
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn replay(&self, filter: &Filter) -> Result<u64, StoreError> {
        either!(self, inbox => inbox.replay(filter).await)
    }

    /// [`Inbox::discard`].
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn discard(&self, filter: &Filter) -> Result<u64, StoreError> {
        either!(self, inbox => inbox.discard(filter).await)
    }
}

/// An inbox cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The URL is neither of SQLite nor of PostgreSQL.
    Url,
    /// The database cannot be reached.
    Connect(sqlx::Error),
    /// The database holds no inbox, or one that this program cannot use.
    Inbox(BuildError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("the database's URL must begin with sqlite: or postgres:"),
            Self::Connect(failure) => write!(f, "cannot open the database: {failure}"),
            Self::Inbox(failure) => write!(f, "no usable inbox in the database: {failure}"),
        }
    }
}

impl Error for OpenError {}

impl From<BuildError> for OpenError {
    fn from(failure: BuildError) -> Self {
        Self::Inbox(failure)
    }
}
