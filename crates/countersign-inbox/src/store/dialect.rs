//! What the inbox asks of a database.

use std::{collections::HashSet, future::Future};

use sqlx::{Database, Error, Pool, Transaction};

use super::{Candidate, EntryRow, Finish, Incoming, NotDurable, Selection, StatsRow, Token};
use crate::Stored;

/// A database that an [`Inbox`](crate::Inbox) lives in: [`sqlx::Sqlite`] and [`sqlx::Postgres`]. Nothing else can implement it.
pub trait Dialect: Database + Sealed {}

/// The statements. Each method is one statement, or a few that must be in one transaction.
#[expect(unnameable_types, reason = "nobody else can name it, so nobody else can implement it")]
#[doc(hidden)]
pub trait Sealed: Database {
    /// Each brings the schema one version further.
    const MIGRATIONS: &'static [&'static str];
    /// Whether one transaction at a time can write.
    const ONE_WRITER: bool;

    /// The pool for transactions that will write.
    fn writers(pool: &Pool<Self>) -> Pool<Self>;

    /// A transaction that will write.
    fn begin(pool: &Pool<Self>) -> impl Future<Output = Result<Transaction<'static, Self>, Error>> + Send;

    /// A transaction in which nobody else migrates.
    fn begin_migration(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<Transaction<'static, Self>, Error>> + Send;

    fn run(
        connection: &mut Self::Connection,
        script: &'static str,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    fn version(connection: &mut Self::Connection) -> impl Future<Output = Result<i64, Error>> + Send;

    fn set_version(
        connection: &mut Self::Connection,
        version: i64,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The first setting with which the database may lose what it has committed.
    fn not_durable(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Option<NotDurable>, Error>> + Send;

    /// Stores what is not there yet, and returns the identities of that.
    fn insert(
        connection: &mut Self::Connection,
        rows: &[&Incoming],
    ) -> impl Future<Output = Result<HashSet<[u8; 32]>, Error>> + Send;

    /// Which of these identities are stored.
    fn stored(
        connection: &mut Self::Connection,
        identities: &[[u8; 32]],
    ) -> impl Future<Output = Result<HashSet<[u8; 32]>, Error>> + Send;

    /// How many deliveries are not finished; counts up to `limit`.
    fn backlog(
        connection: &mut Self::Connection,
        limit: i64,
    ) -> impl Future<Output = Result<i64, Error>> + Send;

    /// Has this transaction follow the indexes, however few rows the database believes to be there.
    fn follow_indexes(connection: &mut Self::Connection) -> impl Future<Output = Result<(), Error>> + Send;

    /// Up to `limit` pending deliveries that are due, locked: those whose last attempt vanished, or the others.
    fn due(
        connection: &mut Self::Connection,
        vanished: bool,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<Candidate>, Error>> + Send;

    /// Of deliveries that have an order key, in this order: those whose turn it is, and those that must wait. Others are being
    /// decided elsewhere.
    fn turns(
        connection: &mut Self::Connection,
        ids: &[i64],
    ) -> impl Future<Output = Result<(HashSet<i64>, Vec<i64>), Error>> + Send;

    /// Makes them wait until an earlier one of their order key is finished.
    fn park(connection: &mut Self::Connection, ids: &[i64])
    -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes those wait, too, that nobody has taken yet among the next `limit` unfinished deliveries of the order key after `id`.
    fn park_after(
        connection: &mut Self::Connection,
        order_key: &[u8],
        id: i64,
        limit: i64,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes them dead letters.
    fn bury(
        connection: &mut Self::Connection,
        ids: &[i64],
        failure: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Leases them under the token, and begins an attempt.
    fn take(
        connection: &mut Self::Connection,
        ids: &[i64],
        token: &Token,
        lease: i64,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads them with their content, in the order of their numbers.
    fn read(
        connection: &mut Self::Connection,
        ids: &[i64],
    ) -> impl Future<Output = Result<Vec<Stored>, Error>> + Send;

    /// Keeps everybody else from deciding the turns of these order keys until the transaction ends.
    fn lock_order_keys(
        connection: &mut Self::Connection,
        keys: &[Vec<u8>],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Writes the ends of attempts that still hold their delivery, and returns these.
    fn finish(
        connection: &mut Self::Connection,
        finishes: &[&Finish],
    ) -> impl Future<Output = Result<HashSet<(i64, Token)>, Error>> + Send;

    /// Gives the next delivery of the order key its turn, unless another of the key is held: whoever ends that does it then.
    ///
    /// Whatever makes a pending delivery of the key anything else does this afterwards in the same transaction, so that a key with
    /// waiting deliveries always has a pending one.
    fn promote(
        connection: &mut Self::Connection,
        order_key: &[u8],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether the attempt with this token made the delivery done.
    fn is_done_by(
        connection: &mut Self::Connection,
        id: i64,
        token: &Token,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Leases them for longer, and returns those that their attempts still hold.
    fn extend(
        connection: &mut Self::Connection,
        held: &[(i64, Token)],
        lease: i64,
    ) -> impl Future<Output = Result<HashSet<(i64, Token)>, Error>> + Send;

    /// Removes up to `limit` finished deliveries whose time is over.
    fn remove(
        connection: &mut Self::Connection,
        limit: i64,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    fn list(
        connection: &mut Self::Connection,
        selection: &Selection,
    ) -> impl Future<Output = Result<Vec<EntryRow>, Error>> + Send;

    /// Makes those of `ids` whose state's bit is in `from` pending at once, or discarded for `keep` milliseconds.
    fn mend(
        connection: &mut Self::Connection,
        ids: &[i64],
        from: i64,
        to: i32,
        keep: i64,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    fn stats(connection: &mut Self::Connection) -> impl Future<Output = Result<StatsRow, Error>> + Send;
}
