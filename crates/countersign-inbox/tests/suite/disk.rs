//! A disk that is full.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_inbox::{AcceptError, Accepted, Delivery, Filter, SqliteInbox, State, sqlx};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::desk::{NO_HEADERS, PATIENCE, delivery, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sqlite_refuses_keeps_what_it_has_and_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("inbox.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pages = Arc::new(AtomicU32::new(100));
    let limit = Arc::clone(&pages);
    let pool = SqlitePoolOptions::new()
        .max_connections(3)
        // Every connection learns the size of the disk before it is used.
        .before_acquire(move |connection, _| {
            let limit = format!("PRAGMA max_page_count = {}", limit.load(Ordering::Relaxed));
            Box::pin(async move {
                sqlx::query(&limit).execute(connection).await?;
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .unwrap();
    let inbox = SqliteInbox::builder(pool).build().await.unwrap();
    let (mut stored, mut refused) = (0, 0);
    for number in 0..60_u8 {
        match inbox.accept(&delivery(vec![number; 10_000]), &NO_HEADERS).await {
            Ok(accepted) => {
                assert_eq!(accepted, Accepted::New);
                stored += 1;
            }
            Err(AcceptError::Store(failure)) => {
                assert!(failure.to_string().contains("full"), "{failure}");
                refused += 1;
            }
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(stored > 10 && refused > 10, "{stored} stored, {refused} refused");
    assert_eq!(inbox.list(&Filter::all(), 0, 100).await.unwrap().len(), stored);
    // What fits into the room that there is goes on: a worker changes rows in place.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let work = inbox.work(async |_: Delivery<_>| Ok(())).poll_every(Duration::from_millis(20));
    let worker = tokio::spawn(work.run_until(async { drop(stopped.await) }));
    pages.store(100_000, Ordering::Relaxed);
    let began = Instant::now();
    for number in 0..60_u8 {
        while let Err(failure) = inbox.accept(&delivery(vec![number; 10_000]), &NO_HEADERS).await {
            assert!(began.elapsed() < PATIENCE, "{failure}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    wait_for(&inbox, State::Done, 60).await;
    stop.send(()).unwrap();
    worker.await.unwrap().unwrap();
}
