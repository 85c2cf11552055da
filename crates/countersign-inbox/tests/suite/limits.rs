//! Deliveries that try the limits of the inbox.

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use countersign_inbox::{Accepted, Delivery, Filter, SqliteInbox, State};

use crate::desk::{Desk, NO_HEADERS, PATIENCE, TestDatabase, delivery, in_both, wait_for};

in_both! {
    an_order_key_of_any_bytes_and_length_is_stored_and_kept_in_order
    ten_thousand_values_of_a_header_come_back_in_order
    a_done_delivery_is_remembered_for_as_long_as_its_sender_may_retry
}

const POLL: Duration = Duration::from_millis(20);

async fn an_order_key_of_any_bytes_and_length_is_stored_and_kept_in_order<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.order_by(|delivery| Some(delivery.body().to_vec()))).await;
    // Random, so that the database cannot compress them.
    let long: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(100_000).collect();
    for key in
        [&b""[..], b"\0", b"\0\0", b"'; DROP TABLE countersign_inbox; --", b"\xff", &long, &long[..99_999]]
    {
        assert_eq!(inbox.accept(&delivery(key), &NO_HEADERS).await.unwrap(), Accepted::New);
    }
    let work = inbox.work(async |_: Delivery<DB>| std::future::pending().await);
    let worker = tokio::spawn(work.run_until(desk.stopped()));
    wait_for(&inbox, State::Running, 6).await;
    let waiting = wait_for(&inbox, State::Waiting, 1).await;
    assert_eq!(waiting[0].id, 7, "the two long keys count as one");
    worker.abort();
}

async fn ten_thousand_values_of_a_header_come_back_in_order<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.keep_headers(["x-trace"])).await;
    let values: Vec<_> = (0..10_000).map(|number| format!("{number}")).collect();
    let headers: Vec<_> = values.iter().map(|value| ("X-Trace", value.as_str())).collect();
    assert_eq!(inbox.accept(&delivery("many"), &headers[..]).await.unwrap(), Accepted::New);
    let stored = inbox.show(1).await.unwrap().unwrap();
    assert!(stored.unsigned_headers.get("x-trace").eq(values.iter().map(String::as_bytes)));
}

async fn a_done_delivery_is_remembered_for_as_long_as_its_sender_may_retry<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.keep_for(Duration::ZERO)).await;
    let verified = delivery("once");
    inbox.accept(&verified, &NO_HEADERS).await.unwrap();
    let work = inbox.work(async |_: Delivery<DB>| Ok(()));
    let worker = tokio::spawn(work.poll_every(POLL).run_until(desk.stopped()));
    let done = wait_for(&inbox, State::Done, 1).await;
    desk.stop();
    worker.await.unwrap().unwrap();

    let remembered = done[0].due_at.duration_since(done[0].received_at).unwrap();
    assert_eq!(remembered, verified.scheme().retry_horizon().saturating_add(Duration::from_secs(60 * 60)));
    assert_eq!(inbox.remove_finished(10).await.unwrap(), 0);
    assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::Duplicate);

    let mut connection = desk.pool.acquire().await.unwrap();
    DB::execute(&mut *connection, "UPDATE countersign_inbox SET due_at = 1").await;
    drop(connection);
    assert_eq!(inbox.remove_finished(10).await.unwrap(), 1);
    assert_eq!(DB::number(&desk.pool, DB::BODIES).await, 0);
    assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::New);
}

const FILE: &str = "INBOX_POISONED_FILE";

/// Runs itself again as a worker whose process aborts on one delivery.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_aborts_the_process_each_time_is_a_dead_letter_and_the_rest_are_done() {
    if let Some(file) = env::var_os(FILE) {
        let inbox = SqliteInbox::open(file).await.unwrap().build().await.unwrap();
        let work = inbox.work(async |delivery: Delivery<_>| {
            if delivery.body() == "poison" {
                std::process::abort();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(())
        });
        // Each crash counts as an attempt of what runs beside the poison as well, but only once for each of those.
        let work = work.concurrency(4).max_attempts(3).lease(Duration::from_secs(1)).poll_every(POLL);
        // At the latest once its parent must have seen the end.
        return work.run_until(tokio::time::sleep(PATIENCE * 2)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.db");
    let inbox = SqliteInbox::open(&file).await.unwrap().build().await.unwrap();
    for number in 0..50 {
        let body = if number == 20 { "poison".to_owned() } else { format!("good {number}") };
        inbox.accept(&delivery(body), &NO_HEADERS).await.unwrap();
    }
    let mut aborted = 0;
    let began = std::time::Instant::now();
    let name = "limits::a_delivery_that_aborts_the_process_each_time_is_a_dead_letter_and_the_rest_are_done";
    while inbox.stats().await.unwrap().finished < 49 || inbox.stats().await.unwrap().dead < 1 {
        assert!(began.elapsed() < PATIENCE, "{:?}", inbox.stats().await);
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", name]).env(FILE, &file).stdout(Stdio::null()).stderr(Stdio::null());
        let mut worker = command.spawn().unwrap();
        while worker.try_wait().unwrap().is_none() {
            let stats = inbox.stats().await.unwrap();
            if stats.finished == 49 && stats.dead == 1 {
                worker.kill().unwrap();
            }
            tokio::time::sleep(POLL).await;
        }
        aborted += 1;
    }
    let dead = inbox.list(&Filter::all().state(State::Dead), 0, 10).await.unwrap();
    assert_eq!((dead[0].id, dead[0].attempts), (21, 3));
    assert!(aborted > 3, "the poison was fatal {aborted} times only");
}
