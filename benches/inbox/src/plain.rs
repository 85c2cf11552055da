use std::path::Path;

use rusqlite::Connection;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS plain (id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, body BLOB NOT NULL)";

/// Bare inserts into an SQLite file whose commits are as durable as those of the inbox.
pub struct Plain(Connection);

impl Plain {
    pub fn open(file: &Path) -> Self {
        let connection = Connection::open(file).expect("a file");
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").expect("pragmas");
        connection.execute_batch(TABLE).expect("a table");
        Self(connection)
    }

    /// Inserts identities and bodies, and commits.
    pub fn insert<'r>(&mut self, rows: impl Iterator<Item = ([u8; 32], &'r [u8])>) {
        let transaction = self.0.transaction().expect("a transaction");
        for (identity, body) in rows {
            let insert = "INSERT INTO plain (identity, body) VALUES (?, ?)";
            let mut statement = transaction.prepare_cached(insert).expect("a statement");
            statement.execute((&identity[..], body)).expect("a row");
        }
        transaction.commit().expect("a commit");
    }
}
