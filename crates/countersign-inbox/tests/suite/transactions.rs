//! Transactions that a handler goes on with although they are over, and those that are dropped as they begin.

use std::{
    future::Future,
    task::{Context, Waker},
    time::Duration,
};

use countersign_inbox::{Backoff, CommitError, Delivery, State, sqlx};
use sqlx::{Executor, Postgres, Sqlite};
use tokio::sync::mpsc;

use crate::desk::{Desk, NO_HEADERS, TestDatabase, another, wait_for};

const QUICK: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(20));
const POLL: Duration = Duration::from_millis(20);

const OVER: &str = "was over before its commit";

/// Handles one delivery. Its first attempt has an effect, runs the statements, ignores what becomes of them, and commits; the second
/// has the effect and commits. Returns why the first could not, and how many effects there are.
async fn refused<DB: TestDatabase>(desk: &Desk<DB>, statements: &'static [&'static str]) -> (String, i64) {
    let inbox = desk.inbox().await;
    inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    let (send, mut refusals) = mpsc::unbounded_channel();
    let work = inbox.work(move |delivery: Delivery<DB>| {
        let send = send.clone();
        async move {
            let mut transaction = delivery.begin().await?;
            DB::execute(&mut **transaction, "INSERT INTO effects (delivery) VALUES (1)").await;
            if delivery.attempt() > 1 {
                return Ok(transaction.commit().await?);
            }
            for statement in statements {
                DB::try_to_execute(&mut **transaction, statement).await;
            }
            let refusal = transaction.commit().await.unwrap_err();
            send.send(refusal.to_string())?;
            Err(CommitError::into(refusal))
        }
    });
    let worker = tokio::spawn(work.backoff(QUICK).poll_every(POLL).run_until(desk.stopped()));
    let done = wait_for(&inbox, State::Done, 1).await;
    assert_eq!(done[0].attempts, 2);
    desk.stop();
    worker.await.unwrap().unwrap();
    (refusals.recv().await.unwrap(), desk.effects().await)
}

/// Handles a delivery for each list of statements that end the delivery's transaction. If one of them commits it, the effect of the
/// first attempt stays.
async fn refused_each<DB: TestDatabase>(endings: &[&'static [&'static str]]) {
    for statements in endings {
        let Some(desk) = Desk::<DB>::new().await else { return };
        let (refusal, effects) = refused(&desk, statements).await;
        assert!(refusal.contains(OVER), "{statements:?}: {refusal}");
        let commits = statements.iter().any(|statement| statement.starts_with("COMMIT"));
        assert_eq!(effects, 1 + i64::from(commits), "{statements:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_commits_nothing_after_a_statement_that_rolled_the_transaction_back() {
    let desk = Desk::<Sqlite>::new().await.unwrap();
    desk.pool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK)").await.unwrap();
    let twice = &["INSERT INTO orders VALUES (1)", "INSERT INTO orders VALUES (1)"];
    let (refusal, effects) = refused(&desk, twice).await;
    assert!(refusal.contains(OVER), "{refusal}");
    assert_eq!(effects, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_commits_nothing_after_a_statement_that_failed() {
    let Some(desk) = Desk::<Postgres>::new().await else { return };
    let (refusal, effects) = refused(&desk, &["SELECT 1 / 0"]).await;
    assert!(refusal.contains("current transaction is aborted"), "{refusal}");
    assert_eq!(effects, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_completes_no_delivery_whose_transaction_the_handler_ended() {
    refused_each::<Sqlite>(&[
        &["ROLLBACK"],
        &["ROLLBACK", "BEGIN IMMEDIATE"],
        &["COMMIT"],
        &["COMMIT", "BEGIN IMMEDIATE"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_completes_no_delivery_whose_transaction_the_handler_ended() {
    refused_each::<Postgres>(&[
        &["ROLLBACK"],
        &["ROLLBACK", "BEGIN"],
        &["ROLLBACK AND CHAIN"],
        &["COMMIT"],
        &["COMMIT", "BEGIN"],
        &["COMMIT AND CHAIN"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_dropped_at_any_await_leaves_sqlite_to_others() {
    let desk = Desk::<Sqlite>::new().await.unwrap();
    let inbox = desk.inbox().await;
    // How far a poll gets depends on the thread of the database, so each number of polls has several chances.
    for (polls, pause) in (0..8).flat_map(|polls| (0..20).map(move |pause| (polls, pause * 100))) {
        let mut write = Box::pin(inbox.remove_finished(1));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            if write.as_mut().poll(&mut cx).is_ready() {
                break;
            }
            // What the database does goes on in between.
            tokio::time::sleep(Duration::from_micros(pause)).await;
        }
        drop(write);
        let other = desk.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        other.rollback().await.unwrap();
    }
}
