//! A database that goes away under load and comes back.

use std::{
    collections::HashSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use countersign::Identity;
use countersign_inbox::{AcceptError, Backoff, Delivery, Filter, Inbox, State, sqlx};
use sqlx::Postgres;
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use crate::desk::{Desk, NO_HEADERS, PATIENCE, another, wait_for};

const SENDERS: usize = 8;
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// For how long the database is away, unless `INBOX_AWAY` says otherwise.
const AWAY: u64 = 5;
/// How many deliveries are acknowledged before the outage, and how many after it.
const LOAD: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn postgres_that_is_stopped_and_restarted_under_load_loses_and_doubles_nothing() {
    outage(test_servers::Postgres::stop, test_servers::Postgres::restart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_that_is_killed_and_restarted_under_load_loses_and_doubles_nothing() {
    outage(test_servers::Postgres::kill, test_servers::Postgres::restart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_that_freezes_under_load_loses_and_doubles_nothing() {
    outage(test_servers::Postgres::freeze, test_servers::Postgres::thaw).await;
}

async fn outage(down: fn(&mut test_servers::Postgres), up: fn(&mut test_servers::Postgres)) {
    let Some(mut desk) = Desk::<Postgres>::new().await else { return };
    let inbox = desk.build(|builder| builder.store_timeout(STORE_TIMEOUT)).await;
    let work = inbox.work(async |delivery: Delivery<Postgres>| {
        let mut transaction = delivery.begin().await?;
        let effect = format!("INSERT INTO effects (delivery) VALUES ({})", delivery.entry().id);
        sqlx::query(&effect).execute(&mut **transaction).await?;
        Ok(transaction.commit().await?)
    });
    let quick = Backoff::new(Duration::from_millis(10), Duration::from_millis(100));
    let work = work.lease(Duration::from_secs(2)).backoff(quick).max_attempts(1000);
    let worker = tokio::spawn(work.poll_every(Duration::from_millis(50)).run_until(desk.stopped()));
    let (load, accepted, mut senders) =
        (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..SENDERS {
        senders.spawn(send(inbox.clone(), Arc::clone(&load), Arc::clone(&accepted)));
    }
    wait_for_load(&accepted).await;
    down(&mut desk.server);
    sleep(away()).await;
    up(&mut desk.server);
    wait_for_load(&accepted).await;
    load.close();
    let sent: Vec<_> = senders.join_all().await;
    let refused: usize = sent.iter().map(|(_, refused)| refused).sum();
    assert!(refused >= SENDERS, "there was no outage");
    let acknowledged: HashSet<_> = sent.into_iter().flat_map(|(acknowledged, _)| acknowledged).collect();

    let stored = inbox.list(&Filter::all(), 0, 100_000).await.unwrap();
    wait_for(&inbox, State::Done, stored.len()).await;
    desk.stop();
    worker.await.unwrap().unwrap();
    let stored: HashSet<_> = stored.into_iter().map(|entry| entry.identity).collect();
    assert_eq!(acknowledged.difference(&stored).count(), 0, "an acknowledged delivery is missing");
    let effects = usize::try_from(desk.effects().await).unwrap();
    let distinct = usize::try_from(desk.distinct_effects().await).unwrap();
    assert_eq!((effects, distinct), (stored.len(), stored.len()));
    println!("{} acknowledged, {refused} refused, {effects} effects", acknowledged.len());
}

fn away() -> Duration {
    Duration::from_secs(env::var("INBOX_AWAY").map_or(AWAY, |seconds| seconds.parse().unwrap()))
}

async fn wait_for_load(accepted: &AtomicUsize) {
    let (began, wanted) = (Instant::now(), accepted.load(Ordering::Relaxed) + LOAD);
    while accepted.load(Ordering::Relaxed) < wanted {
        assert!(began.elapsed() < PATIENCE, "{accepted:?} accepted, not {wanted}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Sends deliveries until the load ends; returns those that were acknowledged, and how many attempts were refused.
async fn send(
    inbox: Inbox<Postgres>,
    load: Arc<Semaphore>,
    accepted: Arc<AtomicUsize>,
) -> (Vec<Identity>, usize) {
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    while !load.is_closed() {
        let verified = another();
        let began = Instant::now();
        while let Err(failure) = inbox.accept(&verified, &NO_HEADERS).await {
            assert!(matches!(failure, AcceptError::Store(_)), "{failure}");
            assert!(began.elapsed() < away() + PATIENCE, "{failure}");
            refused += 1;
            sleep(Duration::from_millis(50)).await;
        }
        acknowledged.push(verified.identify().identity);
        accepted.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(10)).await;
    }
    (acknowledged, refused)
}
