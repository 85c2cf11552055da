use sqlx::{Error, Executor, PgConnection, Pool, Postgres, Transaction};

use super::{
    SqlStore,
    dialect::{
        CREATE_SCHEMA_TABLE, Dialect, SET_VERSION, Sealed, State, Statements, VERSION, statements, upsert,
    },
};
use crate::Claim;

/// A store in PostgreSQL 11 or later (feature `postgres`), for any number of machines. Time is the database's clock.
///
/// Give the pool an `acquire_timeout` no longer than [`OnceBuilder::store_timeout`](crate::OnceBuilder::store_timeout), and
/// as many connections as handlers run at a time if they hold transactions of their own.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign_once::{Once, PostgresStore};
/// use sqlx::PgPool;
///
/// let store = PostgresStore::new(PgPool::connect("postgres://localhost/orders").await?);
/// store.migrate().await?;
/// let once = Once::new(store.clone())?;
/// # Ok(())
/// # }
/// ```
pub type PostgresStore = SqlStore<Postgres>;

/// Names the lock under which one process at a time migrates: the bytes of `csnonce` as a number.
const MIGRATION_LOCK: i64 = 0x0063_736e_6f6e_6365;

impl Dialect for Postgres {}

impl Sealed for Postgres {
    const STATEMENTS: Statements = statements!("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT");
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../../migrations/postgres/1.sql")];

    async fn begin_migration(pool: &Pool<Self>) -> Result<Transaction<'static, Self>, Error> {
        let mut transaction = pool.begin().await?;
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK);
        lock.execute(&mut *transaction).await?;
        transaction.execute(CREATE_SCHEMA_TABLE).await?;
        Ok(transaction)
    }

    async fn run(connection: &mut PgConnection, script: &'static str) -> Result<(), Error> {
        connection.execute(script).await?;
        Ok(())
    }

    async fn version(connection: &mut PgConnection) -> Result<i64, Error> {
        sqlx::query_scalar(VERSION).fetch_one(connection).await
    }

    async fn set_version(connection: &mut PgConnection, version: i64) -> Result<(), Error> {
        sqlx::query(SET_VERSION).bind(version).execute(connection).await?;
        Ok(())
    }

    async fn execute(
        connection: &mut PgConnection,
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

    async fn state(connection: &mut PgConnection, claim: &Claim) -> Result<Option<State>, Error> {
        let query = sqlx::query_as(Self::STATEMENTS.state).bind(&claim.identity().as_bytes()[..]);
        Ok(query.fetch_optional(connection).await?.map(State::new))
    }

    async fn sweep(connection: &mut PgConnection, limit: i64) -> Result<u64, Error> {
        // The array makes the database run the subquery once; the clock of the statement's start lets it use the index.
        let query = sqlx::query(
            "DELETE FROM countersign_once WHERE identity = ANY (ARRAY(SELECT identity FROM countersign_once
                WHERE expires_at <= (EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::BIGINT
                ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))",
        );
        Ok(query.bind(limit).execute(connection).await?.rows_affected())
    }
}
