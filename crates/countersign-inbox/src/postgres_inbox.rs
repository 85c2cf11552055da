use sqlx::Postgres;

use crate::Inbox;

/// An inbox in PostgreSQL 11 or later (feature `postgres`), for any number of machines. Times are by the database's clock.
///
/// Give the pool an `acquire_timeout` no longer than [`store_timeout`](crate::InboxBuilder::store_timeout), and as many
/// connections as handlers hold [transactions](crate::Delivery::begin) at a time, and four: a worker that finds no connection cannot
/// extend its leases.
pub type PostgresInbox = Inbox<Postgres>;
