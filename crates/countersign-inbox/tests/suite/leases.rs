//! Deliveries that a worker has, until it dies, freezes or loses them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_inbox::{CommitError, Delivery, Inbox, State};
use tokio::sync::Semaphore;

use crate::desk::{Desk, NO_HEADERS, PATIENCE, TestDatabase, another, delivery, in_both, wait_for};

in_both! {
    a_worker_that_dies_leaves_its_deliveries_to_the_next
    a_delivery_that_kills_its_worker_each_time_ends_as_a_dead_letter
    a_worker_that_freezes_cannot_commit_what_another_took_over
    a_heartbeat_drops_no_handler_whose_delivery_is_done
}

const POLL: Duration = Duration::from_millis(20);

async fn a_worker_that_dies_leaves_its_deliveries_to_the_next<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    // One at a time: it never takes over what it has itself, however late its heartbeat is.
    let dying = inbox.work(async |_: Delivery<DB>| std::future::pending().await).concurrency(1);
    let dying = tokio::spawn(dying.lease(Duration::from_millis(300)).run_until(desk.stopped()));
    wait_for(&inbox, State::Running, 1).await;
    dying.abort();
    let next = inbox.work(async |_: Delivery<DB>| Ok(())).poll_every(POLL);
    let next = tokio::spawn(next.run_until(desk.stopped()));
    assert_eq!(wait_for(&inbox, State::Done, 1).await[0].attempts, 2);
    desk.stop();
    next.await.unwrap().unwrap();
}

async fn a_delivery_that_kills_its_worker_each_time_ends_as_a_dead_letter<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&delivery("poison"), &NO_HEADERS).await.unwrap();
    inbox.accept(&delivery("good"), &NO_HEADERS).await.unwrap();
    let mut are_finished = false;
    while !are_finished {
        let dies = Arc::new(Semaphore::new(0));
        let handler = {
            let dies = Arc::clone(&dies);
            move |delivery: Delivery<DB>| {
                let dies = Arc::clone(&dies);
                async move {
                    if delivery.body() == "poison" {
                        dies.add_permits(1);
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
            }
        };
        let work = inbox.work(handler).max_attempts(3).lease(Duration::from_millis(300)).poll_every(POLL);
        let worker = tokio::spawn(work.run_until(desk.stopped()));
        let both_finished = async {
            wait_for(&inbox, State::Dead, 1).await;
            wait_for(&inbox, State::Done, 1).await;
        };
        are_finished = tokio::select! {
            _ = dies.acquire() => false,
            () = both_finished => true,
        };
        worker.abort();
        let _ = worker.await;
    }
    let dead = wait_for(&inbox, State::Dead, 1).await;
    assert_eq!(dead[0].attempts, 3);
    assert!(dead[0].failure.as_deref().unwrap().contains("never ended"), "{dead:?}");
}

async fn a_worker_that_freezes_cannot_commit_what_another_took_over<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let begun = Arc::new(AtomicUsize::new(0));
    let handler = {
        let (outcomes, begun) = (Arc::clone(&outcomes), Arc::clone(&begun));
        move |delivery: Delivery<DB>| {
            let (outcomes, begun) = (Arc::clone(&outcomes), Arc::clone(&begun));
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                // Until the other has taken over, nothing in this thread runs: no heartbeat either. It thaws for a moment now and
                // then, because what it was about to write would keep the other waiting.
                while delivery.attempt() == 1 && begun.load(Ordering::SeqCst) == 1 {
                    std::thread::sleep(Duration::from_secs(1));
                    if begun.load(Ordering::SeqCst) == 1 {
                        tokio::time::sleep(POLL).await;
                    }
                }
                let mut transaction = delivery.begin().await?;
                let effect = format!("INSERT INTO effects (delivery) VALUES ({})", delivery.entry().id);
                DB::execute(&mut **transaction, &effect).await;
                let outcome = transaction.commit().await;
                outcomes
                    .lock()
                    .unwrap()
                    .push((delivery.attempt(), matches!(outcome, Err(CommitError::Lost))));
                Ok(outcome?)
            }
        }
    };
    let frozen = {
        // With connections of its own, as in another process.
        let pool = desk.pool.options().clone().connect_lazy_with((*desk.pool.connect_options()).clone());
        let (handler, stopped) = (handler.clone(), desk.stopped());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let inbox = Inbox::builder(pool).store_timeout(PATIENCE).build().await.unwrap();
                let work = inbox.work(handler).concurrency(1).lease(Duration::from_millis(200));
                work.poll_every(POLL).run_until(stopped).await.unwrap();
            });
        })
    };
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let next = tokio::spawn(inbox.work(handler).poll_every(POLL).run_until(desk.stopped()));
    let done = wait_for(&inbox, State::Done, 1).await;
    assert_eq!(done[0].attempts, 2);
    desk.stop();
    next.await.unwrap().unwrap();
    frozen.join().unwrap();
    assert_eq!(desk.effects().await, 1);
    // The frozen one was dropped by its own heartbeat, or found out at its commit.
    let outcomes = outcomes.lock().unwrap();
    assert!(outcomes.contains(&(2, false)), "{outcomes:?}");
    assert!(!outcomes.contains(&(1, false)), "{outcomes:?}");
}

async fn a_heartbeat_drops_no_handler_whose_delivery_is_done<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&delivery("done"), &NO_HEADERS).await.unwrap();
    inbox.accept(&delivery("held"), &NO_HEADERS).await.unwrap();
    let (ends, ended) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let work = {
        let (pool, ends, ended) = (desk.pool.clone(), Arc::clone(&ends), Arc::clone(&ended));
        inbox.work(move |delivery: Delivery<DB>| {
            let (pool, ends, ended) = (pool.clone(), Arc::clone(&ends), Arc::clone(&ended));
            async move {
                if delivery.body() == "done" {
                    // As its own transaction does, before its handler is told.
                    let done =
                        format!("UPDATE countersign_inbox SET state = 2 WHERE id = {}", delivery.entry().id);
                    DB::execute(&mut *pool.acquire().await?, &done).await;
                }
                ends.acquire().await?.forget();
                ended.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
    };
    let work = work.concurrency(2).lease(Duration::from_secs(1)).poll_every(POLL);
    let worker = tokio::spawn(work.run_until(desk.stopped()));
    wait_for(&inbox, State::Done, 1).await;
    // Two heartbeats: the worker has seen what came of the first.
    let lease = async || DB::number(&desk.pool, "SELECT due_at FROM countersign_inbox WHERE id = 2").await;
    for _ in 0..2 {
        let (before, began) = (lease().await, Instant::now());
        while lease().await == before {
            assert!(began.elapsed() < PATIENCE, "the lease is not extended");
            tokio::time::sleep(POLL).await;
        }
    }
    ends.add_permits(2);
    wait_for(&inbox, State::Done, 2).await;
    desk.stop();
    worker.await.unwrap().unwrap();
    assert_eq!(ended.load(Ordering::SeqCst), 2);
}
