use std::{path::Path, time::Duration};

use sqlx::{
    Sqlite,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{BuildError, Inbox, InboxBuilder};

/// An inbox in SQLite (feature `sqlite`), for all processes of one machine that open the same file. Times are by the machine's
/// clock.
///
/// [`open`](Self::open) sets the file up as an inbox needs it. A pool of your own, for [`builder`](Self::builder), needs
/// `synchronous(SqliteSynchronous::Full)`, `journal_mode(SqliteJournalMode::Wal)` and a `busy_timeout`.
pub type SqliteInbox = Inbox<Sqlite>;

impl Inbox<Sqlite> {
    /// Opens the file, or creates it, with a write-ahead log and every commit flushed to the disk. Go on with
    /// [`build`](InboxBuilder::build).
    ///
    /// Put the handlers' tables in the same file, so that their effects can be in the
    /// [delivery's transaction](crate::Delivery::begin). The file must be on a local disk.
    ///
    /// # Errors
    ///
    /// [`BuildError::Store`]: the file cannot be opened or created.
    pub async fn open(file: impl AsRef<Path>) -> Result<InboxBuilder<Sqlite>, BuildError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .row_buffer_size(1024)
            // The undo log of a statement, which would go through a temporary file. No promise rests on it after a crash.
            .pragma("temp_store", "memory");
        Ok(Self::builder(SqlitePoolOptions::new().connect_with(options).await?))
    }
}
