use std::{fmt, path::Path};

use countersign_once::{Fence, SqliteStore};
use countersign_tower::OnceClaim;
use sqlx::{
    FromRow, Row,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteRow},
};

use crate::{Change, Failure};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS orders (
        sender TEXT NOT NULL,
        id TEXT NOT NULL,
        last_event TEXT NOT NULL,
        changes INTEGER NOT NULL,
        updated_at TEXT NOT NULL,
        PRIMARY KEY (sender, id)
    ) STRICT, WITHOUT ROWID";

const CHANGE: &str = "
    INSERT INTO orders (sender, id, last_event, changes, updated_at) VALUES ($1, $2, $3, 1, datetime())
    ON CONFLICT (sender, id) DO UPDATE
        SET last_event = excluded.last_event, changes = changes + 1, updated_at = excluded.updated_at";

const LATEST_FIRST: &str = "SELECT sender, id, last_event, changes, updated_at FROM orders ORDER BY updated_at DESC, sender, id LIMIT $1";

/// An order, as the deliveries so far left it.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// The name of the sender's scheme.
    pub sender: String,
    /// The sender's id of the order.
    pub id: String,
    /// What happened last, in the sender's words.
    pub last_event: String,
    /// How many changes were delivered.
    pub changes: i64,
    /// When the last one was recorded: `2026-11-25 05:30:00`, in UTC.
    pub updated_at: String,
}

impl FromRow<'_, SqliteRow> for Order {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            sender: row.try_get("sender")?,
            id: row.try_get("id")?,
            last_event: row.try_get("last_event")?,
            changes: row.try_get("changes")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// Escapes what the sender wrote: control characters could command a terminal.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sender, id, last_event, changes, updated_at } = self;
        let (id, last_event) = (id.escape_debug().to_string(), last_event.escape_debug().to_string());
        write!(f, "{updated_at}  {sender:<16} {id:<38} {last_event:<24} {changes:>6}")
    }
}

/// The orders, and the memory of the deliveries that changed them, in one SQLite database.
#[derive(Clone, Debug)]
pub struct Orders {
    store: SqliteStore,
}

impl Orders {
    /// Opens the database, or creates it.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or is not a database of this program.
    pub async fn open(database: &Path) -> Result<Self, Failure> {
        let orders = Self::connect(database, true).await?;
        orders.store.migrate().await?;
        sqlx::query(SCHEMA).execute(orders.store.pool()).await?;
        Ok(orders)
    }

    /// Opens the database to read it.
    ///
    /// # Errors
    ///
    /// There is no such file.
    pub async fn open_existing(database: &Path) -> Result<Self, Failure> {
        Self::connect(database, false).await
    }

    /// The memory of deliveries.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Applies the changes and completes the claim, both or neither.
    ///
    /// # Errors
    ///
    /// [`Failure::TakenOver`] if another attempt has the delivery, [`Failure::Database`] if the database fails. Either way
    /// nothing is recorded.
    pub async fn apply(&self, sender: &str, changes: &[Change], claim: &OnceClaim) -> Result<(), Failure> {
        let mut transaction = self.store.pool().begin().await?;
        if self.store.complete_in(&mut transaction, claim.claim(), claim.keep_for()).await? == Fence::Lost {
            return Err(Failure::TakenOver);
        }
        for Change { order, event } in changes {
            sqlx::query(CHANGE).bind(sender).bind(order).bind(event).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The orders that changed last, latest first.
    ///
    /// # Errors
    ///
    /// [`Failure::Database`].
    pub async fn latest(&self, limit: u32) -> Result<Vec<Order>, Failure> {
        Ok(sqlx::query_as(LATEST_FIRST).bind(limit).fetch_all(self.store.pool()).await?)
    }

    /// All orders, latest change first.
    ///
    /// # Errors
    ///
    /// [`Failure::Database`].
    pub async fn all(&self) -> Result<Vec<Order>, Failure> {
        self.latest(u32::MAX).await
    }

    async fn connect(database: &Path, create: bool) -> Result<Self, Failure> {
        let options = SqliteConnectOptions::new()
            .filename(database)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal);
        Ok(Self { store: SqliteStore::new(SqlitePool::connect_with(options).await?) })
    }
}
