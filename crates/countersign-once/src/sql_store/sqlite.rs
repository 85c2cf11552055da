use sqlx::{Error, Executor, Pool, Sqlite, SqliteConnection, Transaction};

use super::{
    SqlStore,
    dialect::{
        CREATE_SCHEMA_TABLE, Dialect, SET_VERSION, Sealed, State, Statements, VERSION, statements, upsert,
    },
};
use crate::Claim;

/// A store in SQLite (feature `sqlite`), for all processes of one machine that open the same file.
///
/// Set the pool up with `journal_mode(SqliteJournalMode::Wal)`. Its `busy_timeout` is 5 seconds unless you set it. SQLite lets
/// one transaction write at a time, so keep the handler's own short. Make [`complete_in`](SqlStore::complete_in) or
/// [`claim_in`](SqlStore::claim_in) its first statement: a transaction that reads before it writes fails if another wrote in between.
/// Begin it with [`begin`](sqlx::Pool::begin). If a request is dropped in the middle of `begin_with("BEGIN IMMEDIATE")`, sqlx 0.8
/// leaves the transaction open, and nobody else can write. Time is the machine's clock.
///
/// # Example
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("orders.db");
/// use countersign_once::{Once, SqliteStore};
/// use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
///
/// let options = SqliteConnectOptions::new()
///     .filename(file)
///     .create_if_missing(true)
///     .journal_mode(SqliteJournalMode::Wal);
/// let store = SqliteStore::new(SqlitePool::connect_with(options).await?);
/// store.migrate().await?;
/// let once = Once::new(store.clone())?;
/// # Ok(())
/// # }
/// ```
pub type SqliteStore = SqlStore<Sqlite>;

impl Dialect for Sqlite {}

impl Sealed for Sqlite {
    const STATEMENTS: Statements = statements!("CAST(unixepoch('subsec') * 1000 AS INTEGER)");
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../../migrations/sqlite/1.sql")];

    async fn begin_migration(pool: &Pool<Self>) -> Result<Transaction<'static, Self>, Error> {
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        transaction.execute(CREATE_SCHEMA_TABLE).await?;
        Ok(transaction)
    }

    async fn run(connection: &mut SqliteConnection, script: &'static str) -> Result<(), Error> {
        connection.execute(script).await?;
        Ok(())
    }

    async fn version(connection: &mut SqliteConnection) -> Result<i64, Error> {
        sqlx::query_scalar(VERSION).fetch_one(connection).await
    }

    async fn set_version(connection: &mut SqliteConnection, version: i64) -> Result<(), Error> {
        sqlx::query(SET_VERSION).bind(version).execute(connection).await?;
        Ok(())
    }

    async fn execute(
        connection: &mut SqliteConnection,
        statement: &'static str,
        claim: &Claim,
        millis: Option<i64>,
    ) -> Result<u64, Error> {
        let query =
            sqlx::query(statement).bind(&claim.identity().as_bytes()[..]).bind(&claim.token().as_bytes()[..]);
        let query = match millis {
            Some(millis) => query.bind(millis),
            None => query,
        };
        Ok(query.execute(connection).await?.rows_affected())
    }

    async fn state(connection: &mut SqliteConnection, claim: &Claim) -> Result<Option<State>, Error> {
        let query = sqlx::query_as(Self::STATEMENTS.state).bind(&claim.identity().as_bytes()[..]);
        Ok(query.fetch_optional(connection).await?.map(State::new))
    }

    async fn sweep(connection: &mut SqliteConnection, limit: i64) -> Result<u64, Error> {
        let query = sqlx::query(
            "DELETE FROM countersign_once WHERE identity IN (SELECT identity FROM countersign_once
                WHERE expires_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY expires_at LIMIT $1)",
        );
        Ok(query.bind(limit).execute(connection).await?.rows_affected())
    }
}
