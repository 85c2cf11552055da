//! What a person changes.

use std::time::{Duration, SystemTime};

use countersign_inbox::{Accepted, Delivery, Filter, Inbox, State};

use crate::desk::{Desk, NO_HEADERS, TestDatabase, another, delivery, in_both, wait_for};

in_both! {
    a_list_in_pages_has_everything_once
    deliveries_are_discarded_by_time_sender_and_state
    a_discarded_delivery_of_an_order_key_lets_the_next_have_its_turn
    a_replay_of_an_order_key_is_handled_in_order
    a_running_delivery_is_not_mended
    what_is_finished_is_removed_after_its_time_and_no_copy_is_new_before
    dead_letters_and_unfinished_deliveries_are_never_removed
    a_clock_that_jumped_ahead_and_back_leaves_nothing_behind
}

const POLL: Duration = Duration::from_millis(20);

async fn fill<DB: TestDatabase>(inbox: &Inbox<DB>, count: usize) {
    for _ in 0..count {
        inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    }
}

async fn change<DB: TestDatabase>(desk: &Desk<DB>, statement: &str) {
    DB::execute(&mut *desk.pool.acquire().await.unwrap(), statement).await;
}

/// Handles everything.
async fn work<DB: TestDatabase>(desk: &Desk<DB>, inbox: &Inbox<DB>, done: usize) {
    let work = inbox.work(async |delivery: Delivery<DB>| {
        let mut transaction = delivery.begin().await?;
        let effect = format!("INSERT INTO effects (delivery) VALUES ({})", delivery.entry().id);
        DB::execute(&mut **transaction, &effect).await;
        Ok(transaction.commit().await?)
    });
    let worker = tokio::spawn(work.poll_every(POLL).run_until(desk.stopped()));
    wait_for(inbox, State::Done, done).await;
    worker.abort();
    let _ = worker.await;
}

async fn a_list_in_pages_has_everything_once<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    fill(&inbox, 25).await;
    let (mut ids, mut pages) = (Vec::new(), Vec::new());
    loop {
        let page = inbox.list(&Filter::all(), ids.last().copied().unwrap_or(0), 10).await.unwrap();
        if page.is_empty() {
            break;
        }
        pages.push(page.len());
        ids.extend(page.iter().map(|entry| entry.id));
    }
    assert_eq!(pages, [10, 10, 5]);
    assert_eq!(ids, (1..=25).collect::<Vec<_>>());
    assert!(inbox.show(26).await.unwrap().is_none());
}

async fn deliveries_are_discarded_by_time_sender_and_state<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    fill(&inbox, 6).await;
    change(&desk, "UPDATE countersign_inbox SET received_at = id * 1000").await;
    change(&desk, "UPDATE countersign_inbox SET sender = 'fluent' WHERE id > 4").await;
    change(&desk, "UPDATE countersign_inbox SET state = 3 WHERE id = 3").await;
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let filter = Filter::all().sender("moduslink").received_from(at(2)).received_before(at(4));
    let ids =
        |entries: Vec<countersign_inbox::Entry>| entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!(ids(inbox.list(&filter, 0, 10).await.unwrap()), [2, 3]);
    assert_eq!(inbox.discard(&filter.clone().state(State::Dead)).await.unwrap(), 1);
    assert_eq!(ids(wait_for(&inbox, State::Discarded, 1).await), [3]);
    assert_eq!(inbox.discard(&filter).await.unwrap(), 1, "what is discarded already is left alone");
    assert_eq!(inbox.discard(&Filter::all().sender("fluent")).await.unwrap(), 2);
    assert_eq!(inbox.discard(&Filter::all().id(1)).await.unwrap(), 1);
    assert_eq!(ids(wait_for(&inbox, State::Pending, 1).await), [4]);
    work(&desk, &inbox, 1).await;
    assert_eq!(inbox.replay(&Filter::all().received_before(at(3))).await.unwrap(), 2);
    work(&desk, &inbox, 3).await;
    assert_eq!(desk.effects().await, 3);
}

async fn a_discarded_delivery_of_an_order_key_lets_the_next_have_its_turn<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.order_by(|_| Some("one"))).await;
    fill(&inbox, 3).await;
    change(&desk, "UPDATE countersign_inbox SET due_at = due_at + 3600000 WHERE id = 1").await;
    let work = inbox.work(async |_: Delivery<DB>| Ok(())).poll_every(POLL);
    let worker = tokio::spawn(work.run_until(desk.stopped()));
    wait_for(&inbox, State::Waiting, 2).await;
    assert_eq!(inbox.discard(&Filter::all().id(1)).await.unwrap(), 1);
    wait_for(&inbox, State::Done, 2).await;
    desk.stop();
    worker.await.unwrap().unwrap();
}

async fn a_replay_of_an_order_key_is_handled_in_order<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.order_by(|_| Some("one"))).await;
    fill(&inbox, 30).await;
    work(&desk, &inbox, 30).await;
    assert_eq!(inbox.replay(&Filter::all()).await.unwrap(), 30);
    work(&desk, &inbox, 30).await;
    assert_eq!((desk.effects().await, desk.distinct_effects().await), (60, 30));
    let finished: Vec<_> = wait_for(&inbox, State::Done, 30).await;
    assert!(finished.is_sorted_by_key(|entry| entry.finished_at));
}

async fn a_running_delivery_is_not_mended<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    fill(&inbox, 1).await;
    let work = inbox.work(async |_: Delivery<DB>| std::future::pending().await);
    let worker = tokio::spawn(work.run_until(desk.stopped()));
    wait_for(&inbox, State::Running, 1).await;
    let all = Filter::all();
    let changed = (
        inbox.retry(&all).await.unwrap(),
        inbox.replay(&all).await.unwrap(),
        inbox.discard(&all).await.unwrap(),
    );
    assert_eq!(changed, (0, 0, 0));
    worker.abort();
}

async fn what_is_finished_is_removed_after_its_time_and_no_copy_is_new_before<DB: TestDatabase>(
    desk: Desk<DB>,
) {
    let inbox = desk.build(|builder| builder.keep_for(Duration::ZERO)).await;
    let verified = delivery("once");
    let horizon = verified.scheme().retry_horizon();
    inbox.accept(&verified, &NO_HEADERS).await.unwrap();
    fill(&inbox, 9).await;
    work(&desk, &inbox, 10).await;
    // The sender may still retry: nothing goes, even though nothing is kept for people.
    assert_eq!(inbox.remove_finished(100).await.unwrap(), 0);
    let jump = |time: Duration| {
        let millis = time.as_millis();
        format!(
            "UPDATE countersign_inbox SET received_at = received_at - {millis}, keep_until = keep_until - {millis}, \
             due_at = due_at - {millis}"
        )
    };
    change(&desk, &jump(horizon)).await;
    assert_eq!(inbox.remove_finished(100).await.unwrap(), 0);
    assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::Duplicate);
    change(&desk, &jump(Duration::from_secs(2 * 60 * 60))).await;
    assert_eq!(inbox.remove_finished(4).await.unwrap(), 4);
    assert_eq!(inbox.remove_finished(100).await.unwrap(), 6);
    assert_eq!(DB::number(&desk.pool, DB::BODIES).await, 0);
    assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::New);
}

async fn dead_letters_and_unfinished_deliveries_are_never_removed<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.keep_for(Duration::ZERO)).await;
    fill(&inbox, 3).await;
    change(&desk, "UPDATE countersign_inbox SET state = CASE WHEN id = 3 THEN 3 ELSE id - 1 END").await;
    change(&desk, "UPDATE countersign_inbox SET received_at = 0, keep_until = 0, due_at = 0").await;
    assert_eq!(inbox.remove_finished(100).await.unwrap(), 0);
    assert_eq!(inbox.list(&Filter::all(), 0, 10).await.unwrap().len(), 3);
}

async fn a_clock_that_jumped_ahead_and_back_leaves_nothing_behind<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    fill(&inbox, 2).await;
    let dying = inbox.work(async |_: Delivery<DB>| std::future::pending().await).concurrency(1);
    let dying = tokio::spawn(dying.run_until(desk.stopped()));
    wait_for(&inbox, State::Running, 1).await;
    dying.abort();
    let _ = dying.await;
    // The clock was an hour ahead, as these were stored and taken, and is back.
    change(
        &desk,
        "UPDATE countersign_inbox SET received_at = received_at + 3600000, due_at = due_at + 3600000",
    )
    .await;
    fill(&inbox, 1).await;
    work(&desk, &inbox, 1).await;
    assert_eq!(inbox.stats().await.unwrap().oldest, Some(Duration::ZERO));
    // A person need not wait for it.
    assert_eq!(inbox.retry(&Filter::all()).await.unwrap(), 1);
    work(&desk, &inbox, 2).await;
    // The clock jumps ahead by two hours: the lease is over at once.
    change(&desk, "UPDATE countersign_inbox SET due_at = due_at - 7200000").await;
    work(&desk, &inbox, 3).await;
    assert_eq!((desk.effects().await, desk.distinct_effects().await), (3, 3));
}
