//! Deliveries that are handled one after the other.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use countersign_inbox::{Backoff, Delivery, Failure, Filter, Inbox, State, sqlx};
use sqlx::Postgres;
use tokio::sync::Semaphore;

use crate::desk::{Desk, NO_HEADERS, TestDatabase, delivery, in_both, wait_for};

in_both! {
    a_dead_letter_that_is_retried_goes_before_the_later_one_that_failed_meanwhile
    a_dead_letter_that_is_retried_goes_before_the_later_one_whose_worker_died_meanwhile
    those_after_a_delivery_that_kills_its_worker_have_their_turn
    keys_that_differ_in_a_nul_are_different_keys
    a_long_backlog_of_one_key_is_handled_in_order_and_holds_up_no_other
}

const QUICK: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(20));
const POLL: Duration = Duration::from_millis(20);

/// An inbox whose deliveries have the order key that is before the `/` in their body.
async fn ordered<DB: TestDatabase>(desk: &Desk<DB>) -> Inbox<DB> {
    let key = |body: &[u8]| body.split(|&byte| byte == b'/').next().map(<[u8]>::to_vec);
    desk.build(move |builder| builder.order_by(move |delivery| key(delivery.body()))).await
}

async fn accept<DB: TestDatabase>(inbox: &Inbox<DB>, bodies: &[&str]) {
    for body in bodies {
        inbox.accept(&delivery(*body), &NO_HEADERS).await.unwrap();
    }
}

fn body<DB: TestDatabase>(delivery: &Delivery<DB>) -> String {
    String::from_utf8(delivery.body().to_vec()).unwrap()
}

async fn a_dead_letter_that_is_retried_goes_before_the_later_one_that_failed_meanwhile<DB: TestDatabase>(
    desk: Desk<DB>,
) {
    let inbox = ordered(&desk).await;
    accept(&inbox, &["a/1", "a/2"]).await;
    let (fails, handled) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
    let work = {
        let (fails, handled) = (Arc::clone(&fails), Arc::clone(&handled));
        inbox.work(move |delivery: Delivery<DB>| {
            let (fails, handled) = (Arc::clone(&fails), Arc::clone(&handled));
            async move {
                if delivery.body() == "a/1" && handled.lock().unwrap().is_empty() {
                    handled.lock().unwrap().push("dead".to_owned());
                    return Err(Failure::permanent("no stock"));
                }
                if delivery.body() == "a/2" && delivery.attempt() == 1 {
                    fails.acquire().await?.forget();
                    return Err(Failure::retry_after(Duration::from_millis(300), "later"));
                }
                handled.lock().unwrap().push(body(&delivery));
                Ok(())
            }
        })
    };
    let worker = tokio::spawn(work.poll_every(POLL).run_until(desk.stopped()));
    wait_for(&inbox, State::Dead, 1).await;
    wait_for(&inbox, State::Running, 1).await;
    assert_eq!(inbox.retry(&Filter::all().state(State::Dead)).await.unwrap(), 1);
    wait_for(&inbox, State::Waiting, 1).await;
    fails.add_permits(1);
    wait_for(&inbox, State::Done, 2).await;
    assert_eq!(*handled.lock().unwrap(), ["dead", "a/1", "a/2"]);
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn a_dead_letter_that_is_retried_goes_before_the_later_one_whose_worker_died_meanwhile<
    DB: TestDatabase,
>(
    desk: Desk<DB>,
) {
    let inbox = ordered(&desk).await;
    accept(&inbox, &["a/1", "a/2"]).await;
    let dying = inbox.work(async |delivery: Delivery<DB>| match &delivery.body()[..] {
        b"a/1" if delivery.attempt() == 1 => Err(Failure::permanent("no stock")),
        _ => std::future::pending().await,
    });
    let dying = tokio::spawn(dying.lease(Duration::from_secs(3)).poll_every(POLL).run_until(desk.stopped()));
    wait_for(&inbox, State::Dead, 1).await;
    wait_for(&inbox, State::Running, 1).await;
    assert_eq!(inbox.retry(&Filter::all().state(State::Dead)).await.unwrap(), 1);
    wait_for(&inbox, State::Waiting, 1).await;
    dying.abort();
    let handled = all_handled(&desk, &inbox, 2).await;
    assert_eq!(handled, ["a/1", "a/2"]);
}

async fn those_after_a_delivery_that_kills_its_worker_have_their_turn<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = ordered(&desk).await;
    accept(&inbox, &["a/1"]).await;
    let dying = inbox.work(async |_: Delivery<DB>| std::future::pending().await);
    // One at a time: it never takes over what it has itself, however late its heartbeat is.
    let dying = dying.concurrency(1).max_attempts(1).lease(Duration::from_millis(300));
    let dying = tokio::spawn(dying.run_until(desk.stopped()));
    wait_for(&inbox, State::Running, 1).await;
    dying.abort();
    let _ = dying.await;
    accept(&inbox, &["a/2", "a/3"]).await;
    // The next worker finds the last attempt of the first over, and the others, at one look.
    wait_for(&inbox, State::Running, 0).await;
    let worker = inbox.work(async |_: Delivery<DB>| Ok(())).max_attempts(1).poll_every(POLL);
    let worker = tokio::spawn(worker.run_until(desk.stopped()));
    wait_for(&inbox, State::Done, 2).await;
    wait_for(&inbox, State::Dead, 1).await;
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn keys_that_differ_in_a_nul_are_different_keys<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = ordered(&desk).await;
    accept(&inbox, &["a/1", "a\0/1", "\0a/1", "\0/1", "a\0b/1", "a/2", "a\0/2", "\0a/2", "\0/2", "a\0b/2"])
        .await;
    let running = inbox.work(async |_: Delivery<DB>| std::future::pending().await);
    let running = tokio::spawn(running.run_until(desk.stopped()));
    wait_for(&inbox, State::Waiting, 5).await;
    let first: Vec<_> = wait_for(&inbox, State::Running, 5).await.iter().map(|entry| entry.id).collect();
    assert_eq!(first, [1, 2, 3, 4, 5]);
    running.abort();
}

async fn a_long_backlog_of_one_key_is_handled_in_order_and_holds_up_no_other<DB: TestDatabase>(
    desk: Desk<DB>,
) {
    const LENGTH: i64 = 20_000;
    let inbox = ordered(&desk).await;
    for statement in DB::MANY {
        DB::execute(&mut *desk.pool.acquire().await.unwrap(), statement).await;
    }
    accept(&inbox, &["b/1"]).await;
    let handled = Arc::new(Mutex::new(Vec::new()));
    let work = {
        let handled = Arc::clone(&handled);
        inbox.work(move |delivery: Delivery<DB>| {
            handled.lock().unwrap().push(delivery.entry().id);
            async { Ok(()) }
        })
    };
    let worker = tokio::spawn(work.poll_every(POLL).run_until(desk.stopped()));
    let began = Instant::now();
    let is_over = || {
        let handled = handled.lock().unwrap();
        handled.len() > 100 && handled.contains(&(LENGTH + 1))
    };
    while !is_over() {
        assert!(began.elapsed() < Duration::from_secs(60), "the other key waits");
        tokio::time::sleep(POLL).await;
    }
    desk.stop();
    worker.await.unwrap().unwrap();
    let mut handled = handled.lock().unwrap().clone();
    // The key's turn comes once for each look into the inbox, and 20 looks make the whole backlog wait.
    let before = handled.iter().position(|id| *id > LENGTH).unwrap();
    assert!(before <= 30, "the other key waited for {before} deliveries");
    handled.retain(|id| *id <= LENGTH);
    assert_eq!(handled, (1..).take(handled.len()).collect::<Vec<_>>());
}

/// The bodies in the order in which they are handled.
async fn all_handled<DB: TestDatabase>(desk: &Desk<DB>, inbox: &Inbox<DB>, count: usize) -> Vec<String> {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let work = {
        let handled = Arc::clone(&handled);
        inbox.work(move |delivery: Delivery<DB>| {
            handled.lock().unwrap().push(body(&delivery));
            async { Ok(()) }
        })
    };
    let worker = tokio::spawn(work.backoff(QUICK).poll_every(POLL).run_until(desk.stopped()));
    wait_for(inbox, State::Done, count).await;
    desk.stop();
    worker.await.unwrap().unwrap();
    Arc::into_inner(handled).unwrap().into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_isolation_of_the_database_stalls_no_key_in_postgres() {
    let Some(desk) = Desk::<Postgres>::new().await else { return };
    let strict = "ALTER DATABASE postgres SET default_transaction_isolation TO 'repeatable read'";
    Postgres::execute(&mut *desk.pool.acquire().await.unwrap(), strict).await;
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(30);
    let pool = options.connect_with((*desk.pool.connect_options()).clone()).await.unwrap();
    let level: String = sqlx::query_scalar("SHOW transaction_isolation").fetch_one(&pool).await.unwrap();
    assert_eq!(level, "repeatable read");
    let build =
        || Inbox::builder(pool.clone()).order_by(|delivery| Some(delivery.body()[..1].to_vec())).build();
    let (inbox, other) = (build().await.unwrap(), build().await.unwrap());
    let workers: Vec<_> = [&inbox, &other]
        .map(|inbox| {
            let work = inbox.work(async |delivery: Delivery<Postgres>| {
                let mut transaction = delivery.begin().await?;
                let effect = format!("INSERT INTO effects (delivery) VALUES ({})", delivery.entry().id);
                Postgres::execute(&mut **transaction, &effect).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(transaction.commit().await?)
            });
            tokio::spawn(work.backoff(QUICK).poll_every(POLL).run_until(desk.stopped()))
        })
        .into();
    for number in 0..300 {
        accept(&inbox, &[&format!("a/{number}"), &format!("b/{number}")]).await;
    }
    wait_for(&inbox, State::Done, 600).await;
    desk.stop();
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
}
