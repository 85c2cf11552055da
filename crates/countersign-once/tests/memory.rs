//! What the memory store may cost: counted by the allocator.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

use std::time::Duration;

use countersign_once::{Claim, ClaimAnswer, Decision, Identity, MemoryStore, Once, Outcome, Store, Token};
use dhat::HeapStats;
use moka::{policy::EvictionPolicy, sync::Cache};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const LONG: Duration = Duration::from_secs(24 * 60 * 60);
const IDENTITIES: u64 = 50_000;

fn identity(number: u64) -> Identity {
    let mut bytes = [0; 32];
    // Spread as a digest is.
    for (part, factor) in bytes.chunks_exact_mut(8).zip([0x9E37_79B9_7F4A_7C15, 3, 5, 7]) {
        part.copy_from_slice(&number.wrapping_mul(factor).to_be_bytes());
    }
    Identity::from_bytes(bytes)
}

#[test]
fn memory_and_allocations_are_bounded() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        a_remembered_identity_takes_at_most_400_bytes().await;
        a_delivery_allocates_little_more_than_the_cache().await;
    });
}

async fn a_remembered_identity_takes_at_most_400_bytes() {
    let store = MemoryStore::new(IDENTITIES);
    let before = HeapStats::get().curr_bytes;
    for number in 0..IDENTITIES * 5 / 4 {
        let claim = Claim::new(identity(number), Token::from_bytes([1; 16]));
        assert_eq!(store.claim(claim, LONG).await.unwrap(), ClaimAnswer::Granted);
        let _ = store.complete(claim, LONG).await.unwrap();
    }
    assert_eq!(store.remembered(), IDENTITIES);
    let bytes = (HeapStats::get().curr_bytes - before) / usize::try_from(IDENTITIES).unwrap();
    println!("{bytes} bytes for each remembered identity");
    assert!(bytes <= 400, "{bytes} bytes for each remembered identity");
}

async fn a_delivery_allocates_little_more_than_the_cache() {
    const DELIVERIES: u64 = 20_000;
    /// Each of the two counters that a delivery adds to allocates its labels, with or without a recorder.
    const MORE: u64 = if cfg!(feature = "metrics") { 3 + 2 } else { 3 };

    let cache = Cache::builder()
        .max_capacity(IDENTITIES)
        .eviction_policy(EvictionPolicy::lru())
        .time_to_live(LONG)
        .build();
    let before = HeapStats::get().total_blocks;
    for number in 0..DELIVERIES {
        assert_eq!(cache.get(&identity(number)), None);
        cache.insert(identity(number), ());
    }
    let bare = HeapStats::get().total_blocks - before;

    let once = Once::new(MemoryStore::new(IDENTITIES)).unwrap();
    let before = HeapStats::get().total_blocks;
    for number in 0..DELIVERIES {
        let Decision::Handle(running) = once.begin(identity(number), None).await else { unreachable!() };
        let _ = running.complete().await.unwrap();
    }
    let ours = HeapStats::get().total_blocks - before;

    let before = HeapStats::get().total_blocks;
    for number in 0..DELIVERIES {
        assert_eq!(once.begin(identity(number), None).await.outcome(), Outcome::Duplicate);
    }
    let duplicates = HeapStats::get().total_blocks - before;

    let each = |blocks: u64| (blocks + DELIVERIES / 2) / DELIVERIES;
    println!("allocations: {} bare, {} ours, {} a duplicate", each(bare), each(ours), each(duplicates));
    assert!(each(ours) <= each(bare) + MORE, "{bare} blocks bare, {ours} ours, for {DELIVERIES} deliveries");
    assert!(each(duplicates) < each(ours), "{duplicates} blocks for {DELIVERIES} duplicates");
}
