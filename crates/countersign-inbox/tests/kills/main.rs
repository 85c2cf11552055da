//! Receivers, workers and the database are killed with SIGKILL at random instants under load, each apart and together. Then
//! nothing that was acknowledged is missing, and every effect happened exactly once and in order.
//!
//! This program starts itself again as the receivers and workers. `INBOX_KILLS` is the number of kills in each database:
//!
//! ```text
//! INBOX_KILLS=300 cargo test -p countersign-inbox --all-features --test kills
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
#[path = "../suite/deliveries.rs"]
mod deliveries;
mod fleet;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env,
    thread::sleep,
    time::{Duration, Instant},
};

use countersign_inbox::{Entry, Filter, Inbox, State, sqlx};
use sqlx::{Postgres, Sqlite};

use crate::{
    database::{Database, open},
    fleet::{Fleet, Store},
};

const KILLS: usize = 10;

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
        ["work", address] => {
            child::end_with_the_parent();
            if is_postgres(address) {
                runtime().block_on(child::work::<Postgres>(address));
            } else {
                runtime().block_on(child::work::<Sqlite>(address));
            }
        }
        // What `cargo test -- --list` and the like ask of a test without the usual harness.
        [flag, ..] if flag.starts_with("--list") => {}
        _ => {
            kill_at_random::<Sqlite>(Store::Sqlite(tempfile::tempdir().unwrap()));
            if let Some(server) = test_servers::Postgres::start() {
                kill_at_random::<Postgres>(Store::Postgres(server));
            }
        }
    }
}

fn kill_at_random<DB: Database>(store: Store) {
    let kills = env::var("INBOX_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (began, runtime, address) = (Instant::now(), runtime(), store.address());
    runtime.block_on(async { DB::execute(open::<DB>(&address).await.pool(), DB::EFFECTS).await });
    let mut fleet = Fleet::start(store);
    let mut killed = BTreeMap::<_, usize>::new();
    for kill in 0..kills {
        sleep(Duration::from_millis(fastrand::u64(50..1000)));
        let targets = fleet.store.targets();
        let target = targets[kill % targets.len()];
        *killed.entry(format!("{target:?}")).or_default() += 1;
        fleet.kill(target, Duration::from_millis(fastrand::u64(..200)));
    }
    sleep(Duration::from_millis(500));
    fleet.kill_receivers();
    let inbox = runtime.block_on(open::<DB>(&address));
    runtime.block_on(finished(&inbox));
    fleet.kill_workers();
    let counts = runtime.block_on(count(&inbox, fleet.acknowledged()));
    println!("{}: killed {killed:?} within {:?}; {counts}: ok", DB::NAME, began.elapsed());
}

/// Waits until the workers have finished everything.
async fn finished<DB: Database>(inbox: &Inbox<DB>) {
    let began = Instant::now();
    loop {
        let stats = inbox.stats().await.unwrap();
        if stats.pending + stats.running + stats.waiting == 0 {
            return;
        }
        if began.elapsed() > Duration::from_secs(60) {
            let rest = Filter::all().state(State::Pending).state(State::Waiting).state(State::Running);
            panic!("not finished: {stats:?} {:#?}", inbox.list(&rest, 0, 20).await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
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
    let stored: HashSet<_> = entries.values().map(|entry| entry.identity.to_string()).collect();
    assert_eq!(stored.len(), entries.len(), "a delivery is stored twice");
    let missing = acknowledged.difference(&stored).count();
    assert_eq!(missing, 0, "of {} acknowledged deliveries, some are missing", acknowledged.len());

    let effects = DB::effects(inbox.pool()).await;
    let affected: HashSet<_> = effects.iter().copied().collect();
    assert_eq!(affected.len(), effects.len(), "an effect is doubled");
    let in_state = |state| entries.values().filter(move |entry| entry.state == state).map(|entry| entry.id);
    assert_eq!(in_state(State::Done).collect::<HashSet<_>>(), affected, "done is not what has an effect");
    let dead: Vec<_> = in_state(State::Dead).filter_map(|id| entries[&id].failure.as_deref()).collect();
    assert_eq!(dead, vec!["hopeless"; entries.len() - effects.len()], "a delivery is neither done nor dead");

    let mut latest = HashMap::<_, i64>::new();
    for id in &effects {
        if let Some(key) = &entries[id].order_key {
            let earlier = latest.insert(key, *id).unwrap_or_default();
            assert!(earlier < *id, "{} overtook {}", earlier, *id);
        }
    }
    let retried = entries.values().filter(|entry| entry.attempts > 1).count();
    let counts = format!(
        "{} acknowledged, {} stored, {} done, {} dead, {retried} tried more than once, {} order keys",
        acknowledged.len(),
        entries.len(),
        effects.len(),
        dead.len(),
        latest.len()
    );
    assert!(acknowledged.len() > 100 && latest.len() > 1 && !dead.is_empty(), "there was no load: {counts}");
    counts
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}
