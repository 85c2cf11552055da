//! Receivers, workers and the database are killed with SIGKILL at random instants under the load of five senders, each apart and
//! together. Then nothing that was acknowledged is missing, and every effect happened exactly once and in order. Likewise after their
//! clock has stepped ahead and back.
//!
//! This program starts itself again as the receivers and workers. In each database, or in the one that is named, it kills for at
//! least `INBOX_MINUTES` minutes, and at least `INBOX_KILLS` times:
//!
//! ```text
//! INBOX_KILLS=300 cargo test -p countersign-inbox --all-features --test kills
//! INBOX_MINUTES=30 cargo test -p countersign-inbox --all-features --test kills -- sqlite
//! ```
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

mod child;
mod database;
mod fleet;
mod senders;
#[path = "../suite/signing.rs"]
mod signing;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use countersign_inbox::{Entry, Filter, Inbox, State, Stats, sqlx};
use sqlx::{Postgres, Sqlite};
use test_servers::Clock;

use crate::{
    child::{HOPELESS, POISON},
    database::{Database, open},
    fleet::{Environment, Fleet, Store, Worker},
    senders::{Content, Sender},
    signing::NO_HEADERS,
};

const KILLS: usize = 10;
/// For how long it waits for what must come: what it checks does not depend on how fast that does.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let is_postgres = |address: &str| address.starts_with("postgres:");
    match arguments[..] {
        ["receive", name, address] => {
            child::end_with_the_parent();
            if is_postgres(address) {
                runtime().block_on(child::receive::<Postgres>(name, address));
            } else {
                runtime().block_on(child::receive::<Sqlite>(name, address));
            }
        }
        ["work", address, max_attempts] => {
            let max_attempts = max_attempts.parse().unwrap();
            child::end_with_the_parent();
            if is_postgres(address) {
                runtime().block_on(child::work::<Postgres>(address, max_attempts));
            } else {
                runtime().block_on(child::work::<Sqlite>(address, max_attempts));
            }
        }
        // What `cargo test -- --list` and the like ask of a test without the usual harness.
        [flag, ..] if flag.starts_with("--list") => {}
        ["sqlite"] => in_sqlite(),
        ["postgres"] => in_postgres(),
        _ => {
            in_sqlite();
            in_postgres();
        }
    }
}

fn in_sqlite() {
    let store = || Store::Sqlite(tempfile::tempdir().unwrap());
    kill_at_random::<Sqlite>(store());
    two_workers_share::<Sqlite>(&store());
    poison::<Sqlite>(&store());
    if let Some(clock) = Clock::start() {
        step_the_clock::<Sqlite>(&clock, store());
    }
}

fn in_postgres() {
    let start = test_servers::Postgres::start;
    let Some(server) = start() else { return };
    kill_at_random::<Postgres>(Store::Postgres(server));
    two_workers_share::<Postgres>(&Store::Postgres(start().unwrap()));
    poison::<Postgres>(&Store::Postgres(start().unwrap()));
    if let Some(clock) = Clock::start() {
        let server = test_servers::Postgres::start_in(clock.environment()).unwrap();
        step_the_clock::<Postgres>(&clock, Store::Postgres(server));
    }
}

fn kill_at_random<DB: Database>(store: Store) {
    let kills = env::var("INBOX_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let minutes: u64 = env::var("INBOX_MINUTES").map_or(0, |minutes| minutes.parse().unwrap());
    let (least, longest_pause) = (Duration::from_secs(minutes * 60), if minutes == 0 { 1000 } else { 5000 });
    let (began, runtime) = (Instant::now(), runtime());
    let address = prepared::<DB>(&store);
    let mut fleet = Fleet::start(store, Environment::new());
    let mut killed = BTreeMap::<_, usize>::new();
    for kill in 0.. {
        if kill >= kills && began.elapsed() >= least {
            break;
        }
        sleep(Duration::from_millis(fastrand::u64(50..longest_pause)));
        let targets = fleet.store.targets();
        let target = targets[kill % targets.len()];
        *killed.entry(format!("{target:?}")).or_default() += 1;
        fleet.kill(target, Duration::from_millis(fastrand::u64(..200)));
    }
    let inbox = runtime.block_on(open::<DB>(&address));
    // At least one of the last receivers has sent a hopeless delivery then, and what it acknowledged is counted.
    runtime.block_on(wait_until(&inbox, |stats| stats.dead > 0));
    fleet.kill_receivers();
    runtime.block_on(finished(&inbox));
    fleet.kill_workers();
    let counts = runtime.block_on(count(&inbox, fleet.acknowledged()));
    println!("{}: killed {killed:?} within {:?}; {counts}: ok", DB::NAME, began.elapsed());
}

/// Two processes share at least 500 deliveries, until each has handled 50, and no delivery is handled twice.
fn two_workers_share<DB: Database>(store: &Store) {
    let (runtime, address) = (runtime(), prepared::<DB>(store));
    let inbox = runtime.block_on(open::<DB>(&address));
    let workers = [Worker::start(&address, 1000), Worker::start(&address, 1000)];
    runtime.block_on(async {
        let (mut sent, mut shares, began) = (0, [0, 0], Instant::now());
        while sent < 500 || shares.iter().any(|share| *share < 50) {
            assert!(began.elapsed() < PATIENCE, "{shares:?}");
            accept(&inbox, (sent..sent + 50).map(|number| number * HOPELESS)).await;
            sent += 50;
            finished(&inbox).await;
            let effects = DB::effects(inbox.pool()).await;
            let deliveries: HashSet<_> = effects.iter().map(|(delivery, _)| delivery).collect();
            assert_eq!((effects.len(), deliveries.len()), (sent as usize, sent as usize));
            let share =
                |worker: &Worker| effects.iter().filter(|(_, process)| *process == worker.id()).count();
            shares = workers.each_ref().map(share);
        }
        println!("{}: two workers share {sent} deliveries, {shares:?}: ok", DB::NAME);
    });
}

/// A delivery that ends its worker's process each time becomes a dead letter; the others are done.
fn poison<DB: Database>(store: &Store) {
    let (runtime, address) = (runtime(), prepared::<DB>(store));
    let inbox = runtime.block_on(open::<DB>(&address));
    runtime.block_on(async {
        accept(&inbox, (0..50).map(|number| number * HOPELESS)).await;
        accept(&inbox, [POISON]).await;
        accept(&inbox, (50..100).map(|number| number * HOPELESS)).await;
    });
    let (mut ended, began, mut worker) = (0, Instant::now(), Worker::start(&address, 20));
    while runtime.block_on(inbox.stats()).unwrap().finished < 100 || ended < 20 {
        if worker.has_ended() {
            ended += 1;
            worker = Worker::start(&address, 20);
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", runtime.block_on(inbox.stats()));
        sleep(Duration::from_millis(5));
    }
    runtime.block_on(finished(&inbox));
    let dead = runtime.block_on(inbox.list(&Filter::all().state(State::Dead), 0, 10)).unwrap();
    assert_eq!(dead.iter().map(|entry| (entry.id, entry.attempts)).collect::<Vec<_>>(), [(51, 20)]);
    let effects = runtime.block_on(DB::effects(inbox.pool()));
    let deliveries: HashSet<_> = effects.iter().map(|(delivery, _)| delivery).collect();
    assert_eq!((effects.len(), deliveries.len()), (100, 100));
    println!("{}: a poison delivery ended {ended} workers, the others are done: ok", DB::NAME);
}

/// The clock of receivers, workers and the database steps ahead by an hour and back under load. What was stored or is to be tried
/// again while it was ahead waits for that time, unless a person retries it.
fn step_the_clock<DB: Database>(clock: &Clock, store: Store) {
    let (began, runtime) = (Instant::now(), runtime());
    let address = prepared::<DB>(&store);
    let mut fleet = Fleet::start(store, clock.environment());
    let inbox = runtime.block_on(open::<DB>(&address));
    for ahead in [0, 1, 0].map(|hours| Duration::from_secs(hours * 60 * 60)) {
        clock.set(ahead);
        runtime.block_on(wait_for_effects(&inbox, 200));
    }
    runtime.block_on(wait_until(&inbox, |stats| stats.dead > 0));
    fleet.kill_receivers();
    runtime.block_on(async {
        while !is_finished(&inbox.stats().await.unwrap()) {
            assert!(began.elapsed() < PATIENCE, "{:?}", inbox.stats().await);
            // A failure is made up for by the next round.
            let _ = inbox.retry(&Filter::all().state(State::Pending)).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    fleet.kill_workers();
    let soon = SystemTime::now() + Duration::from_secs(30 * 60);
    let ahead = runtime.block_on(inbox.list(&Filter::all().received_from(soon), 0, 1)).unwrap();
    assert_eq!(ahead.len(), 1, "the clock did not step");
    let counts = runtime.block_on(count(&inbox, fleet.acknowledged()));
    println!("{}: the clock stepped ahead by an hour and back; {counts}: ok", DB::NAME);
}

/// Waits until there are so many more effects.
async fn wait_for_effects<DB: Database>(inbox: &Inbox<DB>, more: usize) {
    let (before, began) = (DB::effects(inbox.pool()).await.len(), Instant::now());
    while DB::effects(inbox.pool()).await.len() < before + more {
        assert!(began.elapsed() < PATIENCE, "{:?}", inbox.stats().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The address of the store, with the table for effects.
fn prepared<DB: Database>(store: &Store) -> String {
    let address = store.address();
    runtime().block_on(async { DB::execute(open::<DB>(&address).await.pool(), DB::EFFECTS).await });
    address
}

/// Accepts deliveries with these numbers, of one sender after the other.
async fn accept<DB: Database>(inbox: &Inbox<DB>, numbers: impl IntoIterator<Item = u32>) {
    let senders = Sender::all();
    for (number, sender) in numbers.into_iter().zip(senders.iter().cycle()) {
        let content = Content { order: None, number };
        let (verified, began) = (sender.delivery(&number.to_string(), &content, false), Instant::now());
        while let Err(failure) = inbox.accept(&verified, &NO_HEADERS).await {
            assert!(began.elapsed() < PATIENCE, "{failure}");
        }
    }
}

/// Waits until the workers have finished everything.
async fn finished<DB: Database>(inbox: &Inbox<DB>) {
    wait_until(inbox, is_finished).await;
}

fn is_finished(stats: &Stats) -> bool {
    stats.pending + stats.running + stats.waiting == 0
}

async fn wait_until<DB: Database>(inbox: &Inbox<DB>, is_so: fn(&Stats) -> bool) {
    let began = Instant::now();
    loop {
        let stats = inbox.stats().await.unwrap();
        if is_so(&stats) {
            return;
        }
        if began.elapsed() > PATIENCE {
            let rest = Filter::all().state(State::Pending).state(State::Waiting).state(State::Running);
            panic!("not so in time: {stats:?} {:#?}", inbox.list(&rest, 0, 20).await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Checks that everything acknowledged is there, and every effect exactly once and in order.
async fn count<DB: Database>(inbox: &Inbox<DB>, acknowledged: &HashSet<String>) -> String {
    let mut entries = HashMap::<i64, Entry>::new();
    let mut after = 0;
    loop {
        let page = inbox.list(&Filter::all(), after, 5000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        entries.extend(page.into_iter().map(|entry| (entry.id, entry)));
    }
    let stored: HashSet<_> =
        entries.values().map(|entry| format!("{} {}", entry.sender, entry.identity)).collect();
    assert_eq!(stored.len(), entries.len(), "a delivery is stored twice");
    let missing = acknowledged.difference(&stored).count();
    assert_eq!(missing, 0, "of {} acknowledged deliveries, some are missing", acknowledged.len());

    let effects = DB::effects(inbox.pool()).await;
    let affected: HashSet<_> = effects.iter().map(|(delivery, _)| *delivery).collect();
    let doubled = effects.len() - affected.len();
    assert_eq!(doubled, 0, "an effect is doubled");
    let in_state = |state| entries.values().filter(move |entry| entry.state == state).map(|entry| entry.id);
    assert_eq!(in_state(State::Done).collect::<HashSet<_>>(), affected, "done is not what has an effect");
    let dead: Vec<_> = in_state(State::Dead).filter_map(|id| entries[&id].failure.as_deref()).collect();
    assert_eq!(dead, vec!["hopeless"; entries.len() - effects.len()], "a delivery is neither done nor dead");

    let mut latest = HashMap::<_, i64>::new();
    for (id, _) in &effects {
        if let Some(key) = &entries[id].order_key {
            let earlier = latest.insert(key, *id).unwrap_or_default();
            assert!(earlier < *id, "{} overtook {}", earlier, *id);
        }
    }
    let retried = entries.values().filter(|entry| entry.attempts > 1).count();
    let mut senders = BTreeMap::<_, usize>::new();
    for (sender, _) in acknowledged.iter().filter_map(|line| line.split_once(' ')) {
        *senders.entry(sender).or_default() += 1;
    }
    let counts = format!(
        "{} acknowledged {senders:?}, {} stored, {} done, {} dead, {missing} missing, {doubled} doubled, {retried} tried more than \
         once, {} order keys",
        acknowledged.len(),
        entries.len(),
        effects.len(),
        dead.len(),
        latest.len()
    );
    let is_load = acknowledged.len() > 100 && senders.len() == 5 && latest.len() > 1 && !dead.is_empty();
    assert!(is_load, "there was no load: {counts}");
    counts
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}
