//! Counts what the memory store takes: bytes per remembered identity, heap allocations per delivery, and the bound.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p once --bin once-allocations
//! ```

use std::{error::Error, fs, sync::Arc, time::Duration};

use countersign::senders;
use countersign_once::{Claim, Decision, Identity, MemoryStore, Once, Outcome, Store, Token};
use dhat::HeapStats;
use in_process::report;
use moka::{policy::EvictionPolicy, sync::Cache};
use once::{
    delivery::Sender,
    identity,
    service::{Framework, services},
};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const KEEP: Duration = Duration::from_secs(85 * 60);
const MILLION: u64 = 1_000_000;
/// As many as make one-time allocations of the cache disappear in the rounding.
const DELIVERIES: usize = 5_000;

#[derive(Serialize)]
struct Row {
    group: &'static str,
    name: &'static str,
    unit: &'static str,
    figure: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // Before the profiler, which takes memory itself.
    let mut rows = vec![resident(&runtime)?];
    let _profiler = dhat::Profiler::builder().testing().build();
    rows.push(remembered(&runtime)?);
    rows.extend(bound(&runtime)?);
    rows.extend(store(&runtime)?);
    for (group, framework) in [("axum", Framework::Axum), ("actix-web", Framework::Actix)] {
        for mut service in services(&Arc::new(Sender::new(senders::moduslink())?), framework)? {
            let mut blocks = 0;
            service.run(DELIVERIES, &mut |work| blocks = allocated(work));
            rows.push(Row { group, name: service.name, unit: "allocations", figure: per_delivery(blocks) });
        }
    }
    for Row { group, name, unit, figure } in &rows {
        println!("{group:12} {name:44} {figure:>12.2} {unit}");
    }
    let notes = [
        "resident: the growth of the process's memory, with the allocator of the C library",
        "the floor of a new delivery: moka's get and insert; of a duplicate: get",
        "the bound: a store for 50,000 identities is fed 500,000; the peak is the largest of its heap after every 1,000",
        "services: ModusLink deliveries of 1 KiB; the handler takes Verified",
    ];
    report::write(env!("CARGO_PKG_NAME"), "once-allocations", 1, &notes, &rows)
}

fn resident(runtime: &Runtime) -> Result<Row, Box<dyn Error>> {
    let before = resident_kib()?;
    let store = MemoryStore::new(MILLION);
    feed(runtime, &store, 0..MILLION)?;
    let remembered = store.remembered();
    let bytes = (resident_kib()? - before) * 1024.0 / count(remembered);
    if remembered != MILLION {
        return Err(format!("{remembered} of {MILLION} identities are remembered").into());
    }
    Ok(Row { group: "1,000,000 identities", name: "resident", unit: "bytes each", figure: bytes })
}

fn remembered(runtime: &Runtime) -> Result<Row, Box<dyn Error>> {
    let before = HeapStats::get().curr_bytes;
    let store = MemoryStore::new(MILLION);
    feed(runtime, &store, 0..MILLION)?;
    if store.remembered() != MILLION {
        return Err("not every identity is remembered".into());
    }
    let bytes = (HeapStats::get().curr_bytes - before) as u64;
    Ok(Row {
        group: "1,000,000 identities",
        name: "heap",
        unit: "bytes each",
        figure: count(bytes) / count(MILLION),
    })
}

fn bound(runtime: &Runtime) -> Result<[Row; 2], Box<dyn Error>> {
    const CAPACITY: u64 = 50_000;
    let group = "50,000 of 500,000";
    let before = HeapStats::get().curr_bytes;
    let store = MemoryStore::new(CAPACITY);
    let mut peak = 0;
    for start in (0..10 * CAPACITY).step_by(1000) {
        feed(runtime, &store, start..start + 1000)?;
        peak = peak.max(HeapStats::get().curr_bytes - before);
    }
    let figure = count(store.remembered());
    let peak = count(peak as u64) / count(CAPACITY);
    Ok([
        Row { group, name: "remembered in the end", unit: "identities", figure },
        Row { group, name: "peak of the heap", unit: "bytes for each of 50,000", figure: peak },
    ])
}

fn store(runtime: &Runtime) -> Result<[Row; 4], Box<dyn Error>> {
    let cache = Cache::builder()
        .max_capacity(MILLION)
        .eviction_policy(EvictionPolicy::lru())
        .time_to_live(KEEP)
        .build();
    let once = Once::new(MemoryStore::new(MILLION))?;
    let numbers = 0..DELIVERIES as u64;
    let bare = allocated(&mut || {
        for number in numbers.clone() {
            assert_eq!(cache.get(&identity::numbered(number)), None);
            cache.insert(identity::numbered(number), ());
        }
    });
    let new = allocated(&mut || {
        runtime.block_on(async {
            for number in numbers.clone() {
                handle(&once, identity::numbered(number)).await;
            }
        });
    });
    let hits = allocated(&mut || {
        for number in numbers.clone() {
            assert_eq!(cache.get(&identity::numbered(number)), Some(()));
        }
    });
    let duplicates = allocated(&mut || {
        runtime.block_on(async {
            for number in numbers.clone() {
                let decision = once.begin(identity::numbered(number), Some(KEEP)).await;
                assert_eq!(decision.outcome(), Outcome::Duplicate);
            }
        });
    });
    let row = |group, name, blocks| Row { group, name, unit: "allocations", figure: per_delivery(blocks) };
    Ok([
        row("new", "floor: moka", bare),
        row("new", "Once", new),
        row("duplicate", "floor: moka", hits),
        row("duplicate", "Once", duplicates),
    ])
}

fn feed(runtime: &Runtime, store: &MemoryStore, numbers: std::ops::Range<u64>) -> Result<(), Box<dyn Error>> {
    runtime.block_on(async {
        for number in numbers {
            let claim = Claim::new(identity::numbered(number), Token::from_bytes([1; 16]));
            store.claim(claim, KEEP).await?;
            let _ = store.complete(claim, KEEP).await?;
        }
        Ok(())
    })
}

async fn handle(once: &Once, identity: Identity) {
    let Decision::Handle(running) = once.begin(identity, Some(KEEP)).await else { unreachable!("it is new") };
    assert!(running.complete().await.is_ok());
}

fn allocated(work: &mut dyn FnMut()) -> u64 {
    let before = HeapStats::get().total_blocks;
    work();
    HeapStats::get().total_blocks - before
}

fn resident_kib() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn per_delivery(blocks: u64) -> f64 {
    count(blocks) / count(DELIVERIES as u64)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}
