use countersign_once::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use tempfile::TempDir;

use crate::sql::sql_tests;

async fn open() -> Option<(TempDir, SqliteStore)> {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("once.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let store = SqliteStore::new(SqlitePool::connect_with(options).await.unwrap());
    store.migrate().await.unwrap();
    Some((folder, store))
}

sql_tests!(open, SqlitePool);

#[tokio::test]
async fn a_database_that_somebody_has_locked_refuses_in_time_and_keeps_no_claim() {
    let Some((_folder, store)) = open().await else { return };
    let limit = Duration::from_millis(200);
    let once = Once::builder(store.clone()).store_timeout(limit).build().unwrap();
    let lock = store.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(once.begin(identity(1), None).await.outcome(), Outcome::Unavailable);
    // SQLite alone would wait for 5 seconds.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    lock.rollback().await.unwrap();
    let began = tokio::time::Instant::now();
    while once.begin(identity(1), None).await.outcome() != Outcome::New {
        assert!(began.elapsed() < Duration::from_secs(40), "the claim stays");
        sleep(Duration::from_millis(50)).await;
    }
}
