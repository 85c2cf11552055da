//! Times the memory store beside the bare two operations of the same cache, and whole services with it beside the guard alone.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p once --bin once-memory [-- SAMPLES]
//! ```

use std::{
    error::Error,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::senders;
use countersign_once::{Claim, Decision, Identity, MemoryStore, Once, Outcome, Store, Token};
use in_process::{
    group::{Row, measured},
    measure::Timed,
    report,
};
use moka::{Expiry, policy::EvictionPolicy, sync::Cache};
use once::{
    cpu::Stopwatch,
    delivery::Sender,
    identity,
    service::{Framework, LONGER, ROOMY, Service, services},
};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};

const LEASE: Duration = Duration::from_secs(60);
const KEEP: Duration = Duration::from_secs(85 * 60);

fn main() -> Result<(), Box<dyn Error>> {
    let samples = report::samples()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut rows = new("new, room left", &runtime, ROOMY, samples)?;
    rows.extend(new("new, full", &runtime, MemoryStore::DEFAULT_CAPACITY, samples)?);
    rows.extend(duplicates(&runtime, samples)?);
    rows.extend(identify(samples)?);
    for (group, framework) in [("axum", Framework::Axum), ("actix-web", Framework::Actix)] {
        let mut services = services(&Arc::new(Sender::new(senders::moduslink())?), framework)?;
        let names: Vec<_> = services.iter().map(|service| service.name).collect();
        let mut timed: Vec<_> = services.iter_mut().map(Service::timed).collect();
        rows.extend(measured(group, &names, &mut timed, samples));
    }
    let notes = [
        "time on a CPU, the median of the samples; added: the median of the differences to the first line in the same round",
        "new, full: every cache is full, with 100,000 identities, so each new one pushes an old one out",
        "the floor of a new delivery: get and insert; of a duplicate: get",
        "one keep time: moka's time_to_live; a keep time each: moka's Expiry, which the store needs because senders differ",
        "the store alone: MemoryStore::claim and complete, without Once",
        "identify: for a verified body of 1 KiB; by digest as for ModusLink, by a field of the body as for Extend, by a signed header as for Standard Webhooks",
        "services: ModusLink deliveries of 1 KiB; the handler takes Verified; requests are built before the timing starts",
        "the floor of a service with HandleOnce: the no-op layer, SHA-256 of the body, and moka's two operations, added up",
    ];
    report::write(env!("CARGO_PKG_NAME"), "once-memory", samples, &notes, &rows)
}

fn new(
    group: &'static str,
    runtime: &Runtime,
    capacity: u64,
    samples: usize,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let (simple, own) = caches(capacity);
    let store = MemoryStore::new(capacity);
    let once = Once::new(MemoryStore::new(capacity))?;
    let mut contestants = [
        timed(runtime, async |identity| {
            assert!(simple.get(&identity).is_none());
            simple.insert(identity, ());
        }),
        timed(runtime, async |identity| {
            assert!(own.get(&identity).is_none());
            own.insert(identity, KEPT);
        }),
        timed(runtime, async |identity| {
            let claim = Claim::new(identity, Token::from_bytes([1; 16]));
            let _ = black_box(store.claim(claim, LEASE).await);
            let _ = black_box(store.complete(claim, KEEP).await);
        }),
        timed(runtime, async |identity| handle(&once, identity).await),
    ];
    for contestant in &mut contestants {
        contestant(usize::try_from(MemoryStore::DEFAULT_CAPACITY)? * 5 / 4 / LONGER as usize);
    }
    let names = ["floor: moka, one keep time", "floor: moka, a keep time each", "the store alone", "Once"];
    Ok(measured(group, &names, &mut contestants, samples))
}

fn duplicates(runtime: &Runtime, samples: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let (simple, own) = caches(MemoryStore::DEFAULT_CAPACITY);
    let once = Once::new(MemoryStore::default())?;
    for number in 0..MemoryStore::DEFAULT_CAPACITY {
        simple.insert(identity::numbered(number), ());
        own.insert(identity::numbered(number), KEPT);
        runtime.block_on(handle(&once, identity::numbered(number)));
    }
    // The latest ones, which no cache has pushed out.
    let known = |identity: u64| identity::numbered(MemoryStore::DEFAULT_CAPACITY / 2 + identity % 10_000);
    let mut next = [0; 3];
    let [first, second, third] = next.each_mut().map(|next| {
        move || {
            *next += 1;
            known(*next)
        }
    });
    let mut contestants = [
        over(runtime, first, async |identity| assert!(simple.get(&identity).is_some())),
        over(runtime, second, async |identity| assert!(own.get(&identity).is_some())),
        over(runtime, third, async |identity| {
            assert_eq!(once.begin(identity, Some(KEEP)).await.outcome(), Outcome::Duplicate);
        }),
    ];
    let names = ["floor: moka, one keep time", "floor: moka, a keep time each", "Once"];
    Ok(measured("duplicate", &names, &mut contestants, samples))
}

fn identify(samples: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let digest = Sender::new(senders::moduslink())?.verified()?;
    let field = Sender::new(senders::extend())?.verified()?;
    let header = Sender::new(senders::standard_webhooks())?.verified()?;
    let body = digest.body();
    let mut contestants = vec![repeated(|| black_box(Sha256::digest(black_box(body))))];
    for delivery in [&digest, &field, &header] {
        assert!(delivery.identify().fallback.is_none());
        contestants.push(repeated(move || black_box(black_box(delivery).identify())));
    }
    let names = ["floor: SHA-256 of the body", "by digest", "by a field", "by a signed header"];
    Ok(measured("identify", &names, &mut contestants, samples))
}

fn repeated<'a, T>(work: impl Fn() -> T + 'a) -> Timed<'a> {
    Box::new(move |times| {
        let start = Stopwatch::start();
        for _ in 0..times {
            work();
        }
        start.elapsed()
    })
}

async fn handle(once: &Once, identity: Identity) {
    let Decision::Handle(running) = once.begin(identity, Some(KEEP)).await else { unreachable!("it is new") };
    let _ = black_box(running.complete().await);
}

/// What the store remembers about an identity.
type Kept = (Token, Duration);
const KEPT: Kept = (Token::from_bytes([1; 16]), KEEP);

/// The bare cache: in its simplest form, and as the store needs it.
fn caches(capacity: u64) -> (Cache<Identity, ()>, Cache<Identity, Kept>) {
    let lru = EvictionPolicy::lru();
    let simple =
        Cache::builder().max_capacity(capacity).eviction_policy(lru.clone()).time_to_live(KEEP).build();
    let own = Cache::builder().max_capacity(capacity).eviction_policy(lru).expire_after(KeepTime).build();
    (simple, own)
}

struct KeepTime;

impl Expiry<Identity, Kept> for KeepTime {
    fn expire_after_create(&self, _: &Identity, (_, keep_for): &Kept, _: Instant) -> Option<Duration> {
        Some(*keep_for)
    }
}

fn timed<'a>(runtime: &'a Runtime, work: impl AsyncFn(Identity) + 'a) -> Timed<'a> {
    over(runtime, identity::new, work)
}

fn over<'a>(
    runtime: &'a Runtime,
    mut next: impl FnMut() -> Identity + 'a,
    work: impl AsyncFn(Identity) + 'a,
) -> Timed<'a> {
    Box::new(move |times| {
        runtime.block_on(async {
            let start = Stopwatch::start();
            for _ in 0..times * LONGER as usize {
                work(next()).await;
            }
            start.elapsed() / LONGER
        })
    })
}
