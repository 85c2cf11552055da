//! Deliveries that are handled.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_inbox::{Backoff, Delivery, Failure, Filter, State};
use tokio::sync::Semaphore;

use crate::desk::{Desk, NO_HEADERS, TestDatabase, another, delivery, in_both, wait_for};

in_both! {
    a_stored_delivery_is_handled_and_done
    a_failed_attempt_is_tried_again_until_it_succeeds
    the_last_attempt_and_a_permanent_failure_make_dead_letters
    a_handler_that_panics_or_hangs_has_failed
    an_effect_in_the_transaction_happens_once_or_not_at_all
    deliveries_of_one_order_key_are_handled_one_by_one_in_order
    a_shutdown_lets_handlers_finish_and_hands_the_rest_back
}

const QUICK: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(20));
const POLL: Duration = Duration::from_millis(20);

async fn a_stored_delivery_is_handled_and_done<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = {
        let seen = Arc::clone(&seen);
        move |delivery: Delivery<DB>| {
            let seen = Arc::clone(&seen);
            async move {
                seen.lock().unwrap().push((
                    delivery.body().clone(),
                    delivery.sender().to_owned(),
                    delivery.attempt(),
                ));
                Ok(())
            }
        }
    };
    let worker = tokio::spawn(inbox.work(handler).run_until(desk.stopped()));
    inbox.accept(&delivery("hello"), &NO_HEADERS).await.unwrap();
    let done = wait_for(&inbox, State::Done, 1).await;
    assert!(done[0].finished_at.is_some());
    assert_eq!(*seen.lock().unwrap(), [("hello".into(), "moduslink".to_owned(), 1)]);
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn a_failed_attempt_is_tried_again_until_it_succeeds<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    let worker = inbox.work(async |delivery: Delivery<DB>| match delivery.attempt() {
        3 => Ok(()),
        attempt => Err(Failure::retry(format!("attempt {attempt}"))),
    });
    let worker = tokio::spawn(worker.backoff(QUICK).poll_every(POLL).run_until(desk.stopped()));
    let done = wait_for(&inbox, State::Done, 1).await;
    assert_eq!(done[0].attempts, 3);
    assert_eq!(done[0].failure.as_deref(), Some("attempt 2"));
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn the_last_attempt_and_a_permanent_failure_make_dead_letters<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&delivery("retry"), &NO_HEADERS).await.unwrap();
    inbox.accept(&delivery("permanent"), &NO_HEADERS).await.unwrap();
    let worker = inbox.work(async |delivery: Delivery<DB>| {
        if delivery.body() == "permanent" {
            return Err(Failure::permanent("no such order\0"));
        }
        Err(std::io::Error::other("later").into())
    });
    let worker = worker.max_attempts(3).backoff(QUICK).poll_every(POLL);
    let worker = tokio::spawn(worker.run_until(desk.stopped()));
    let dead = wait_for(&inbox, State::Dead, 2).await;
    assert_eq!((dead[0].attempts, dead[0].failure.as_deref()), (3, Some("later")));
    assert_eq!((dead[1].attempts, dead[1].failure.as_deref()), (1, Some("no such order")));
    // A person lets them be tried again.
    assert_eq!(inbox.retry(&Filter::all().sender("Fluent")).await.unwrap(), 0);
    assert_eq!(inbox.retry(&Filter::all().state(State::Dead)).await.unwrap(), 2);
    wait_for(&inbox, State::Dead, 2).await;
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn a_handler_that_panics_or_hangs_has_failed<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&delivery("panic"), &NO_HEADERS).await.unwrap();
    inbox.accept(&delivery("hang"), &NO_HEADERS).await.unwrap();
    let worker = inbox.work(async |delivery: Delivery<DB>| {
        assert_ne!(delivery.body(), "panic", "as it was told to");
        std::future::pending().await
    });
    let worker = worker.max_attempts(1).attempt_timeout(Duration::from_millis(100));
    let worker = tokio::spawn(worker.run_until(desk.stopped()));
    let dead = wait_for(&inbox, State::Dead, 2).await;
    assert!(dead[0].failure.as_deref().unwrap().contains("as it was told to"), "{dead:?}");
    assert_eq!(dead[1].failure.as_deref(), Some("the handler took longer than 100ms"));
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn an_effect_in_the_transaction_happens_once_or_not_at_all<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    for _ in 0..50 {
        inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    }
    // Every first attempt fails before the commit, every second one after it.
    let worker = inbox.work(async |delivery: Delivery<DB>| {
        let mut transaction = delivery.begin().await?;
        let effect = format!("INSERT INTO effects (delivery) VALUES ({})", delivery.entry().id);
        DB::execute(&mut **transaction, &effect).await;
        if delivery.attempt() == 1 {
            return Err(Failure::retry("before the commit"));
        }
        transaction.commit().await?;
        Err(Failure::retry("after the commit"))
    });
    let worker = tokio::spawn(worker.backoff(QUICK).poll_every(POLL).run_until(desk.stopped()));
    wait_for(&inbox, State::Done, 50).await;
    desk.stop();
    worker.await.unwrap().unwrap();
    assert_eq!((desk.effects().await, desk.distinct_effects().await), (50, 50));
}

async fn deliveries_of_one_order_key_are_handled_one_by_one_in_order<DB: TestDatabase>(desk: Desk<DB>) {
    let key = |body: &[u8]| body.split(|&byte| byte == b'/').next().map(<[u8]>::to_vec);
    let build = || desk.build(move |builder| builder.order_by(move |delivery| key(delivery.body())));
    let inboxes = [build().await, build().await];
    let inbox = &inboxes[0];
    for number in 0..40 {
        for order in ["a", "b", "c"] {
            inbox.accept(&delivery(format!("{order}/{number}")), &NO_HEADERS).await.unwrap();
        }
        inbox.accept(&delivery(format!("{number}/alone")), &NO_HEADERS).await.unwrap();
    }
    let handled = Arc::new(Mutex::new(Vec::new()));
    let workers: Vec<_> = inboxes
        .iter()
        .map(|inbox| {
            let handled = Arc::clone(&handled);
            let handler = move |delivery: Delivery<DB>| {
                let handled = Arc::clone(&handled);
                async move {
                    // Some fail at first: those of their key must wait.
                    if delivery.attempt() == 1 && fastrand::u8(..) < 40 {
                        return Err(Failure::retry("once"));
                    }
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..3))).await;
                    handled.lock().unwrap().push(String::from_utf8(delivery.body().to_vec()).unwrap());
                    Ok(())
                }
            };
            tokio::spawn(inbox.work(handler).backoff(QUICK).poll_every(POLL).run_until(desk.stopped()))
        })
        .collect();
    wait_for(inbox, State::Done, 160).await;
    desk.stop();
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    let handled = handled.lock().unwrap();
    for order in ["a", "b", "c"] {
        let prefix = format!("{order}/");
        let numbers: Vec<usize> =
            handled.iter().filter_map(|body| body.strip_prefix(&prefix)?.parse().ok()).collect();
        assert_eq!(numbers, (0..40).collect::<Vec<_>>(), "{order}");
    }
}

async fn a_shutdown_lets_handlers_finish_and_hands_the_rest_back<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    inbox.accept(&delivery("short"), &NO_HEADERS).await.unwrap();
    inbox.accept(&delivery("long"), &NO_HEADERS).await.unwrap();
    let (begun, ends) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let worker = {
        let (begun, ends) = (Arc::clone(&begun), Arc::clone(&ends));
        inbox.work(move |delivery: Delivery<DB>| {
            let (begun, ends) = (Arc::clone(&begun), Arc::clone(&ends));
            async move {
                begun.add_permits(1);
                if delivery.body() == "long" {
                    std::future::pending::<()>().await;
                }
                ends.acquire().await?.forget();
                Ok(())
            }
        })
    };
    let worker = tokio::spawn(worker.grace(Duration::from_secs(3)).run_until(desk.stopped()));
    // What has not begun yet is handed back at once.
    begun.acquire_many(2).await.unwrap().forget();
    desk.stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    ends.add_permits(1);
    worker.await.unwrap().unwrap();
    wait_for(&inbox, State::Done, 1).await;
    let pending = wait_for(&inbox, State::Pending, 1).await;
    assert_eq!(pending[0].attempts, 0, "a handed-back attempt does not count");
}
