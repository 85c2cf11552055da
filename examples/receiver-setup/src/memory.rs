use std::{env, time::Duration};

use countersign_once::{
    Dialect, MemoryStore, Once, PostgresStore, RedisStore, SqlStore, SqliteStore, Sweeper,
};
use sqlx::{
    PgPool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

use crate::SetupError;

/// How often an SQL database is rid of deliveries that need not be remembered any longer.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);

/// The memory of deliveries. Keep it for as long as the receiver runs: dropped, it no longer removes expired rows.
#[derive(Debug)]
pub struct Memory {
    once: Once,
    _sweeper: Option<Sweeper>,
}

impl Memory {
    /// Remembers deliveries where `REDIS_URL` or `DATABASE_URL` says, as [`at`](Self::at) does.
    ///
    /// # Errors
    /// As for [`at`](Self::at), or if a variable is not UTF-8.
    pub async fn from_env() -> Result<Self, SetupError> {
        Self::at(variable("REDIS_URL")?, variable("DATABASE_URL")?).await
    }

    /// Remembers deliveries in the Redis of `redis_url` or the SQLite or Postgres database of `database_url`
    /// (`sqlite:deliveries.db`, `postgres://…`). If neither is set, it remembers them until the process ends.
    ///
    /// # Errors
    /// If both are set, the URL is of another kind, or the store cannot be reached.
    pub async fn at(redis_url: Option<String>, database_url: Option<String>) -> Result<Self, SetupError> {
        match (redis_url, database_url) {
            (None, None) => {
                tracing::warn!(
                    "neither REDIS_URL nor DATABASE_URL is set: deliveries are remembered until the process ends"
                );
                Ok(Self { once: once_in_memory()?, _sweeper: None })
            }
            (Some(url), None) => {
                Ok(Self { once: Once::new(RedisStore::connect(&url).await?)?, _sweeper: None })
            }
            (None, Some(url)) if url.starts_with("sqlite:") => {
                let options: SqliteConnectOptions = url.parse()?;
                let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
                Self::in_sql(SqliteStore::new(SqlitePool::connect_with(options).await?)).await
            }
            (None, Some(url)) if url.starts_with("postgres:") || url.starts_with("postgresql:") => {
                Self::in_sql(PostgresStore::new(PgPool::connect(&url).await?)).await
            }
            (None, Some(_)) => Err(SetupError::new("DATABASE_URL begins with neither sqlite: nor postgres:")),
            (Some(_), Some(_)) => Err(SetupError::new("REDIS_URL and DATABASE_URL are both set: choose one")),
        }
    }

    async fn in_sql<DB: Dialect>(store: SqlStore<DB>) -> Result<Self, SetupError> {
        store.migrate().await?;
        let sweeper = store.sweeper(SWEEP_PERIOD);
        Ok(Self { once: Once::new(store)?, _sweeper: Some(sweeper) })
    }

    /// Decides by this memory whether a handler runs.
    pub fn once(&self) -> Once {
        self.once.clone()
    }
}

/// Remembers deliveries until the process ends.
///
/// # Errors
/// If the system has no randomness.
pub fn once_in_memory() -> Result<Once, SetupError> {
    Ok(Once::new(MemoryStore::default())?)
}

fn variable(name: &str) -> Result<Option<String>, SetupError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        // The message must not show the value, which may hold a password.
        Err(env::VarError::NotUnicode(_)) => Err(SetupError::new(&format!("{name} is not UTF-8"))),
    }
}
