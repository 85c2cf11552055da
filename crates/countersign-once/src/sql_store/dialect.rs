//! What differs between databases.

use std::{future::Future, time::Duration};

use sqlx::{Database, Error, Pool, Transaction};

use crate::Claim;

/// A database that [`SqlStore`](crate::SqlStore) speaks to: [`sqlx::Sqlite`] and [`sqlx::Postgres`]. Nothing else can
/// implement it.
pub trait Dialect: Database + Sealed {}

/// The statements and how they are run.
#[expect(unnameable_types, reason = "nobody else can name it, so nobody else can implement it")]
pub trait Sealed: Database {
    #[doc(hidden)]
    const STATEMENTS: Statements;
    /// Each brings the schema one version further.
    #[doc(hidden)]
    const MIGRATIONS: &'static [&'static str];

    /// A transaction in which nobody else migrates.
    #[doc(hidden)]
    fn begin_migration(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<Transaction<'static, Self>, Error>> + Send;

    #[doc(hidden)]
    fn run(
        connection: &mut Self::Connection,
        script: &'static str,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    #[doc(hidden)]
    fn version(connection: &mut Self::Connection) -> impl Future<Output = Result<i64, Error>> + Send;

    #[doc(hidden)]
    fn set_version(
        connection: &mut Self::Connection,
        version: i64,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// How many rows the statement changed.
    #[doc(hidden)]
    fn execute(
        connection: &mut Self::Connection,
        statement: &'static str,
        claim: &Claim,
        millis: Option<i64>,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    #[doc(hidden)]
    fn state(
        connection: &mut Self::Connection,
        claim: &Claim,
    ) -> impl Future<Output = Result<Option<State>, Error>> + Send;

    #[doc(hidden)]
    fn sweep(
        connection: &mut Self::Connection,
        limit: i64,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}

/// `$1` is the identity, `$2` the token, `$3` a time in milliseconds.
#[derive(Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct Statements {
    pub(crate) claim: &'static str,
    pub(crate) claim_done: &'static str,
    pub(crate) complete: &'static str,
    pub(crate) extend: &'static str,
    pub(crate) release: &'static str,
    pub(crate) state: &'static str,
}

/// A row that has not expired.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct State {
    pub(crate) done: bool,
    pub(crate) left: Duration,
}

impl State {
    pub(crate) fn new((done, left): (bool, i64)) -> Self {
        Self { done, left: Duration::from_millis(u64::try_from(left).unwrap_or(0)) }
    }
}

pub(crate) const CREATE_SCHEMA_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS countersign_once_schema (version BIGINT NOT NULL PRIMARY KEY)";
pub(crate) const VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM countersign_once_schema";
pub(crate) const SET_VERSION: &str = "INSERT INTO countersign_once_schema (version) VALUES ($1)";

/// The statements, with the database's expression for now in milliseconds.
macro_rules! statements {
    ($now:literal) => {
        Statements {
            claim: upsert!($now, "FALSE", "held.expires_at <= ", $now),
            claim_done: upsert!($now, "TRUE", "held.expires_at <= ", $now),
            complete: upsert!($now, "TRUE", "held.token = excluded.token OR held.expires_at <= ", $now),
            extend: upsert!(
                $now,
                "FALSE",
                "(held.token = excluded.token AND NOT held.done) OR held.expires_at <= ",
                $now
            ),
            release: "DELETE FROM countersign_once WHERE identity = $1 AND token = $2 AND NOT done",
            state: concat!(
                "SELECT done, expires_at - ",
                $now,
                " FROM countersign_once WHERE identity = $1 AND expires_at > ",
                $now
            ),
        }
    };
}

/// Writes the row unless there is one for which the condition does not hold. The update reads the clock again: it may have
/// waited for another transaction.
macro_rules! upsert {
    ($now:literal, $done:literal, $($condition:literal),+) => {
        concat!(
            "INSERT INTO countersign_once AS held (identity, token, done, expires_at) VALUES ($1, $2, ",
            $done,
            ", ",
            $now,
            " + $3) ON CONFLICT (identity) DO UPDATE SET token = excluded.token, done = excluded.done, expires_at = ",
            $now,
            " + $3 WHERE ",
            $($condition),+
        )
    };
}

pub(crate) use {statements, upsert};
