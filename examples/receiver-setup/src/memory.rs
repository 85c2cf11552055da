use std::env;

use countersign_once::{MemoryStore, Once, PostgresStore, RedisStore, SqliteStore};
use sqlx::{
    PgPool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

use crate::SetupError;

/// Remembers deliveries where `REDIS_URL` or `DATABASE_URL` says, as [`once_at`] does.
///
/// # Errors
/// As for [`once_at`], or if a variable is not UTF-8.
pub async fn once_from_env() -> Result<Once, SetupError> {
    once_at(variable("REDIS_URL")?, variable("DATABASE_URL")?).await
}

/// Remembers deliveries in the Redis of `redis_url` or the SQLite or Postgres database of `database_url`
/// (`sqlite:deliveries.db`, `postgres://…`). If neither is set, it remembers them in memory, until the process ends.
///
/// # Errors
/// If both are set, the URL is of another kind, or the store cannot be reached. It never falls back to memory then.
pub async fn once_at(redis_url: Option<String>, database_url: Option<String>) -> Result<Once, SetupError> {
    match (redis_url, database_url) {
        (None, None) => {
            tracing::warn!(
                "neither REDIS_URL nor DATABASE_URL is set: deliveries are remembered until the process ends"
            );
            once_in_memory()
        }
        (Some(url), None) => Ok(Once::new(RedisStore::connect(&url).await?)?),
        (None, Some(url)) if url.starts_with("sqlite:") => sqlite(&url).await,
        (None, Some(url)) if url.starts_with("postgres:") || url.starts_with("postgresql:") => {
            postgres(&url).await
        }
        (None, Some(_)) => Err(SetupError::new("DATABASE_URL begins with neither sqlite: nor postgres:")),
        (Some(_), Some(_)) => Err(SetupError::new("REDIS_URL and DATABASE_URL are both set: choose one")),
    }
}

/// Remembers deliveries until the process ends.
///
/// # Errors
/// If the system has no randomness.
pub fn once_in_memory() -> Result<Once, SetupError> {
    Ok(Once::new(MemoryStore::default())?)
}

async fn sqlite(url: &str) -> Result<Once, SetupError> {
    let options: SqliteConnectOptions = url.parse()?;
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let store = SqliteStore::new(SqlitePool::connect_with(options).await?);
    store.migrate().await?;
    Ok(Once::new(store)?)
}

async fn postgres(url: &str) -> Result<Once, SetupError> {
    let store = PostgresStore::new(PgPool::connect(url).await?);
    store.migrate().await?;
    Ok(Once::new(store)?)
}

fn variable(name: &str) -> Result<Option<String>, SetupError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        // The message must not show the value, which may hold a password.
        Err(env::VarError::NotUnicode(_)) => Err(SetupError::new(&format!("{name} is not UTF-8"))),
    }
}
