//! Deliveries whose last attempt vanished.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_inbox::{Delivery, State};
use tokio::{sync::Semaphore, time::sleep};

use crate::desk::{Desk, NO_HEADERS, PATIENCE, TestDatabase, another, delivery, in_both, wait_for};

in_both! {
    those_whose_last_attempt_vanished_are_taken_one_at_a_time_and_hold_up_no_other
}

const VANISHED: usize = 5;
const POLL: Duration = Duration::from_millis(20);

/// How many attempts have begun, and how many are under way.
#[derive(Default)]
struct Attempts {
    begun: AtomicUsize,
    under_way: AtomicUsize,
}

async fn those_whose_last_attempt_vanished_are_taken_one_at_a_time_and_hold_up_no_other<DB: TestDatabase>(
    desk: Desk<DB>,
) {
    let inbox = desk.inbox().await;
    for _ in 0..VANISHED {
        inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    }
    let dying = inbox.work(async |_: Delivery<DB>| std::future::pending().await);
    let dying = tokio::spawn(dying.run_until(desk.stopped()));
    wait_for(&inbox, State::Running, VANISHED).await;
    dying.abort();
    let _ = dying.await;
    DB::execute(&mut *desk.pool.acquire().await.unwrap(), "UPDATE countersign_inbox SET due_at = 1").await;

    let (attempts, ends) = (Arc::new(Attempts::default()), Arc::new(Semaphore::new(0)));
    let work = {
        let (attempts, ends) = (Arc::clone(&attempts), Arc::clone(&ends));
        inbox.work(move |delivery: Delivery<DB>| {
            let (attempts, ends) = (Arc::clone(&attempts), Arc::clone(&ends));
            async move {
                if delivery.body().starts_with(b"new") {
                    return Ok(());
                }
                attempts.begun.fetch_add(1, Ordering::SeqCst);
                attempts.under_way.fetch_add(1, Ordering::SeqCst);
                ends.acquire().await?.forget();
                attempts.under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        })
    };
    let worker = tokio::spawn(work.poll_every(POLL).run_until(desk.stopped()));
    for number in 1..=VANISHED {
        let began = Instant::now();
        while attempts.begun.load(Ordering::SeqCst) < number {
            assert!(began.elapsed() < PATIENCE, "number {number} is never taken");
            sleep(POLL).await;
        }
        // A look into the inbox that takes the new one would take a vanished one, too.
        inbox.accept(&delivery(format!("new {number}")), &NO_HEADERS).await.unwrap();
        wait_for(&inbox, State::Done, 2 * number - 1).await;
        assert_eq!(attempts.begun.load(Ordering::SeqCst), number);
        assert_eq!(attempts.under_way.load(Ordering::SeqCst), 1);
        ends.add_permits(1);
    }
    wait_for(&inbox, State::Done, 2 * VANISHED).await;
    desk.stop();
    worker.await.unwrap().unwrap();
}
