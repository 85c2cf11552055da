use std::time::Duration;

use countersign_once::{Claim, ClaimAnswer, Fence, Identity, MemoryStore, Store, Token};

const LONG: Duration = Duration::from_secs(600);

fn claim(number: u32) -> Claim {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Claim::new(Identity::from_bytes(bytes), Token::from_bytes([1; 16]))
}

#[tokio::test]
async fn beyond_its_capacity_it_forgets_what_was_handled_first() {
    let store = MemoryStore::new(1000);
    for number in 0..10_000 {
        assert_eq!(store.claim(claim(number), LONG).await.unwrap(), ClaimAnswer::Granted);
        assert_eq!(store.complete(claim(number), LONG).await.unwrap(), Fence::Passed);
    }
    assert_eq!(store.remembered(), 1000);
    assert_eq!(store.claim(claim(9_999), LONG).await.unwrap(), ClaimAnswer::Done);
    assert_eq!(store.claim(claim(9_000), LONG).await.unwrap(), ClaimAnswer::Done);
    assert_eq!(store.claim(claim(0), LONG).await.unwrap(), ClaimAnswer::Granted);
}

#[tokio::test]
async fn a_claim_in_progress_is_kept_whatever_arrives_meanwhile() {
    let store = MemoryStore::new(10);
    let held = claim(u32::MAX);
    assert_eq!(store.claim(held, LONG).await.unwrap(), ClaimAnswer::Granted);
    for number in 0..10_000 {
        assert_eq!(store.claim(claim(number), LONG).await.unwrap(), ClaimAnswer::Granted);
        assert_eq!(store.complete(claim(number), LONG).await.unwrap(), Fence::Passed);
    }
    assert!(matches!(store.claim(held, LONG).await.unwrap(), ClaimAnswer::InProgress { .. }));
    assert_eq!(store.complete(held, LONG).await.unwrap(), Fence::Passed);
}

#[tokio::test]
async fn without_capacity_it_still_handles_one_at_a_time() {
    let store = MemoryStore::new(0);
    assert_eq!(store.claim(claim(1), LONG).await.unwrap(), ClaimAnswer::Granted);
    assert!(matches!(store.claim(claim(1), LONG).await.unwrap(), ClaimAnswer::InProgress { .. }));
    assert_eq!(store.complete(claim(1), LONG).await.unwrap(), Fence::Passed);
    assert_eq!(store.remembered(), 0);
}

#[tokio::test]
async fn holds_that_nobody_ended_are_removed_once_their_lease_is_over() {
    let store = MemoryStore::new(10);
    for number in 0..100_000 {
        assert_eq!(store.claim(claim(number), Duration::ZERO).await.unwrap(), ClaimAnswer::Granted);
    }
    let text = format!("{store:?}");
    let held: u32 = text.split("held: ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!(held <= 4096, "{text}");
}
