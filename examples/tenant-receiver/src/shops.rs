use std::{path::Path, time::Duration};

use countersign_tenants::Tenants;
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

/// How often the server asks what has changed.
const PERIOD: Duration = Duration::from_millis(250);

/// Revoked shops stay, without a secret, so that a server can see the change.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS shops (name TEXT PRIMARY KEY, secret TEXT, changed INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS shops_changed ON shops (changed);";

/// Sets the secret of a shop, and gives the change the next number.
const CHANGE: &str = "
    INSERT INTO shops (name, secret, changed) VALUES (?, ?, (SELECT coalesce(max(changed), 0) + 1 FROM shops))
    ON CONFLICT (name) DO UPDATE SET secret = excluded.secret, changed = excluded.changed";

/// The shops and their secrets.
#[derive(Clone, Debug)]
pub struct Shops(SqlitePool);

impl Shops {
    /// Opens the database, and makes it if it is not there.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).busy_timeout(Duration::from_secs(5));
        let pool = SqlitePool::connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self(pool))
    }

    /// Adds shops, or gives them other secrets: all or none.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn add(&self, shops: &[(&str, &str)]) -> Result<(), sqlx::Error> {
        let mut transaction = self.0.begin_with("BEGIN IMMEDIATE").await?;
        for (name, secret) in shops {
            sqlx::query(CHANGE).bind(name).bind(secret).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// Revokes a shop; `false` if there is none.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn revoke(&self, name: &str) -> Result<bool, sqlx::Error> {
        let mut transaction = self.0.begin_with("BEGIN IMMEDIATE").await?;
        let exists = sqlx::query("SELECT 1 FROM shops WHERE name = ? AND secret IS NOT NULL").bind(name);
        let exists = exists.fetch_optional(&mut *transaction).await?.is_some();
        if exists {
            sqlx::query(CHANGE).bind(name).bind(None::<String>).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(exists)
    }

    /// The secret of a shop.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn secret(&self, name: &str) -> Result<Option<String>, sqlx::Error> {
        let query = sqlx::query("SELECT secret FROM shops WHERE name = ?").bind(name);
        query.fetch_optional(&self.0).await?.map_or(Ok(None), |row| row.try_get("secret"))
    }

    /// Forgets the tenants that change, for as long as the server runs.
    pub async fn follow(self, tenants: Tenants) {
        let mut seen = 0;
        loop {
            match self.changes_after(seen).await {
                Ok(changes) => {
                    for (name, number) in changes {
                        tenants.invalidate(&name);
                        seen = seen.max(number);
                    }
                }
                // What is cached runs out by itself.
                Err(error) => tracing::warn!(%error, "the changes of shops are not read"),
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn changes_after(&self, number: i64) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let query = sqlx::query_as("SELECT name, changed FROM shops WHERE changed > ?").bind(number);
        query.fetch_all(&self.0).await
    }
}
