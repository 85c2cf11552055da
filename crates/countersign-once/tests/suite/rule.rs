//! The rule: what `Once` decides, and what becomes of a claim.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use countersign_once::{
    Claim, ClaimAnswer, DEFAULT_RETRIES_FOR, Decision, Fence, Identity, MemoryStore, Once, OnceBuilder,
    Outcome, Running, Store, Token, WhenUnavailable,
};
use tokio::time::{Instant, sleep};

use crate::scripted_store::{ScriptedStore, Step, Wait};

const IDENTITY: Identity = identity(1);
const LEASE: Duration = Duration::from_secs(30);
const LIMIT: Duration = Duration::from_secs(1);

const FAILS: Step = Step { before: Wait::No, without_effect: true, after: Wait::No, fails: true };
const LOSES_THE_ANSWER: Step = Step { before: Wait::No, without_effect: false, after: Wait::No, fails: true };
const HANGS: Step = Step { before: Wait::ForEver, without_effect: true, after: Wait::No, fails: true };
const LATE: Step = Step {
    before: Wait::Sleeps(Duration::from_millis(1500)),
    without_effect: false,
    after: Wait::No,
    fails: false,
};
const FINE: Step = Step { before: Wait::No, without_effect: false, after: Wait::No, fails: false };

const fn identity(byte: u8) -> Identity {
    let mut bytes = [0; 32];
    bytes[0] = byte;
    Identity::from_bytes(bytes)
}

fn builder(store: &ScriptedStore) -> OnceBuilder {
    Once::builder(store.clone()).lease(LEASE).store_timeout(LIMIT)
}

fn once(store: &ScriptedStore) -> Once {
    builder(store).build().unwrap()
}

#[track_caller]
fn running(decision: Decision) -> Running {
    match decision {
        Decision::Handle(running) => running,
        other => panic!("the handler does not run: {other:?}"),
    }
}

/// What another process would be told now. It claims nothing.
async fn state(store: &ScriptedStore, identity: Identity) -> ClaimAnswer {
    let probe = Claim::new(identity, Token::from_bytes([0xFF; 16]));
    let answer = store.inner.claim(probe, LEASE).await.unwrap();
    if answer == ClaimAnswer::Granted {
        let _ = store.inner.release(probe).await.unwrap();
    }
    answer
}

async fn is_free(store: &ScriptedStore) -> bool {
    state(store, IDENTITY).await == ClaimAnswer::Granted
}

async fn is_done(store: &ScriptedStore) -> bool {
    state(store, IDENTITY).await == ClaimAnswer::Done
}

/// Lets the background work for this long.
async fn later(time: Duration) {
    sleep(time).await;
}

#[tokio::test]
async fn a_completed_delivery_is_a_duplicate() {
    let once = Once::new(MemoryStore::default()).unwrap();
    let first = once.begin(IDENTITY, None).await;
    assert_eq!(first.outcome(), Outcome::New);
    assert_eq!(running(first).complete().await.unwrap(), Fence::Passed);
    assert_eq!(once.begin(IDENTITY, None).await.outcome(), Outcome::Duplicate);
    assert_eq!(once.begin(identity(2), None).await.outcome(), Outcome::New);
}

#[tokio::test]
async fn a_delivery_in_the_handler_is_in_progress() {
    let once = Once::new(MemoryStore::default()).unwrap();
    let _running = running(once.begin(IDENTITY, None).await);
    match once.begin(IDENTITY, None).await {
        Decision::InProgress { lease_left: Some(left) } => assert!(left <= Duration::from_secs(60)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_released_delivery_is_handled_again() {
    let once = Once::new(MemoryStore::default()).unwrap();
    assert_eq!(running(once.begin(IDENTITY, None).await).release().await.unwrap(), Fence::Passed);
    assert_eq!(once.begin(IDENTITY, None).await.outcome(), Outcome::New);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_handler_releases_its_claim() {
    let store = ScriptedStore::default();
    drop(running(once(&store).begin(IDENTITY, None).await));
    later(LIMIT).await;
    assert!(is_free(&store).await);
    assert_eq!(store.calls(), ["claim", "release"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_releases_the_claim() {
    let store = ScriptedStore::default();
    let once = once(&store);
    let handler = tokio::spawn(async move {
        let _running = running(once.begin(IDENTITY, None).await);
        panic!("the handler panics");
    });
    assert!(handler.await.unwrap_err().is_panic());
    later(LIMIT).await;
    assert!(is_free(&store).await);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_handler_is_released_by_whatever_thread_drops_it() {
    let store = ScriptedStore::default();
    let running = running(once(&store).begin(IDENTITY, None).await);
    std::thread::spawn(move || drop(running)).join().unwrap();
    later(LIMIT).await;
    assert!(is_free(&store).await);
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_an_answer_is_released_by_whatever_thread_drops_it() {
    let store = ScriptedStore::new([LATE]);
    let once = once(&store);
    let mut begin = Box::pin(async move { once.begin(IDENTITY, None).await });
    assert!(std::future::poll_fn(|context| Poll::Ready(begin.as_mut().poll(context).is_pending())).await);
    std::thread::spawn(move || drop(begin)).join().unwrap();
    later(LIMIT * 2).await;
    assert!(is_free(&store).await);
    assert_eq!(store.calls(), ["claim", "release"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_release_is_repeated() {
    let store = ScriptedStore::new([FINE, FAILS, HANGS, FAILS]);
    drop(running(once(&store).begin(IDENTITY, None).await));
    later(LEASE / 2).await;
    assert!(is_free(&store).await);
    assert_eq!(store.calls(), ["claim", "release", "release", "release", "release"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_always_fails_is_given_up_when_the_lease_is_over() {
    let store = ScriptedStore::new([FINE].into_iter().chain(vec![FAILS; 1000]));
    drop(running(once(&store).begin(IDENTITY, None).await));
    later(LEASE * 2).await;
    let calls = store.calls().len();
    later(LEASE * 100).await;
    assert_eq!(store.calls().len(), calls);
    assert!((5..20).contains(&calls), "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_refuses_the_delivery() {
    let store = ScriptedStore::new([FAILS]);
    match once(&store).begin(IDENTITY, None).await {
        Decision::Unavailable(failure) => {
            assert_eq!(failure.to_string(), "the store failed: as the script says");
            assert!(!failure.is_timeout());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_refuses_the_delivery_in_time() {
    let store = ScriptedStore::new([HANGS]);
    let began = Instant::now();
    match once(&store).begin(IDENTITY, None).await {
        Decision::Unavailable(failure) => {
            assert_eq!(failure.to_string(), "the store gave no answer within 1s");
            assert!(failure.is_timeout());
        }
        other => panic!("{other:?}"),
    }
    assert!(began.elapsed() < LIMIT + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_handler_runs_unguarded_only_where_the_set_up_says_so() {
    let store = ScriptedStore::new([FAILS]);
    let once = builder(&store).when_unavailable(WhenUnavailable::GoOn).build().unwrap();
    let mut unguarded = running(once.begin(IDENTITY, None).await);
    assert_eq!(unguarded.outcome(), Outcome::Unguarded);
    assert_eq!(unguarded.claim(), None);
    assert_eq!(unguarded.failure().unwrap().to_string(), "the store failed: as the script says");
    assert_eq!(unguarded.extend(LEASE).await.unwrap(), Fence::Passed);
    assert_eq!(unguarded.complete().await.unwrap(), Fence::Passed);
    later(LIMIT).await;
    assert_eq!(store.calls(), ["claim", "release"]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_is_lost_is_released() {
    let store = ScriptedStore::new([LOSES_THE_ANSWER]);
    assert_eq!(once(&store).begin(IDENTITY, None).await.outcome(), Outcome::Unavailable);
    later(LIMIT).await;
    assert!(is_free(&store).await);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_granted_too_late_is_released() {
    let store = ScriptedStore::new([LATE]);
    assert_eq!(once(&store).begin(IDENTITY, None).await.outcome(), Outcome::Unavailable);
    later(LIMIT * 2).await;
    assert!(is_free(&store).await);
    assert_eq!(store.calls(), ["claim", "release"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_that_grants_nothing_releases_nothing() {
    let store = ScriptedStore::new([FINE, LATE]);
    let once = once(&store);
    let _running = running(once.begin(IDENTITY, None).await);
    assert_eq!(once.begin(IDENTITY, None).await.outcome(), Outcome::Unavailable);
    later(LIMIT * 2).await;
    assert_eq!(store.calls(), ["claim", "claim"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_gets_one_release_for_each_refused_delivery() {
    let store = ScriptedStore::new(vec![FAILS; 1000]);
    let once = once(&store);
    for _ in 0..10 {
        assert_eq!(once.begin(IDENTITY, None).await.outcome(), Outcome::Unavailable);
    }
    later(LEASE * 2).await;
    assert_eq!(store.calls().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_failed_completion_is_repeated_and_never_released() {
    for step in [FAILS, LOSES_THE_ANSWER, HANGS, LATE] {
        let store = ScriptedStore::new([FINE, step, FAILS]);
        let running = running(once(&store).begin(IDENTITY, None).await);
        assert!(running.complete().await.is_err(), "{step:?}");
        later(LEASE / 2).await;
        assert!(is_done(&store).await, "{step:?}");
        assert!(!store.calls().contains(&"release"), "{step:?}");
    }
}

#[tokio::test]
async fn a_handler_that_outlives_its_lease_cannot_end_the_claim_of_another() {
    let store = MemoryStore::default();
    let lease = Duration::from_millis(50);
    let once = Once::builder(store).lease(lease).store_timeout(lease / 2).build().unwrap();
    let slow = running(once.begin(IDENTITY, None).await);
    let slower = loop {
        match once.begin(IDENTITY, None).await {
            Decision::Handle(running) => break running,
            Decision::InProgress { .. } => sleep(Duration::from_millis(5)).await,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(slow.complete().await.unwrap(), Fence::Lost);
    assert_eq!(slower.complete().await.unwrap(), Fence::Passed);
    assert_eq!(once.begin(IDENTITY, None).await.outcome(), Outcome::Duplicate);
}

#[tokio::test]
async fn an_extended_claim_outlives_its_first_lease() {
    let lease = Duration::from_millis(300);
    let once = Once::builder(MemoryStore::default()).lease(lease).store_timeout(lease / 2).build().unwrap();
    let mut slow = running(once.begin(IDENTITY, None).await);
    assert_eq!(slow.extend(LEASE).await.unwrap(), Fence::Passed);
    sleep(lease * 2).await;
    assert_eq!(once.begin(IDENTITY, None).await.outcome(), Outcome::InProgress);
    assert_eq!(slow.complete().await.unwrap(), Fence::Passed);
}

#[tokio::test]
async fn the_keep_time_is_the_senders_and_a_margin_unless_it_is_set() {
    let day = Duration::from_secs(24 * 60 * 60);
    let hour = Duration::from_secs(60 * 60);
    let kept = async |set: fn(OnceBuilder) -> OnceBuilder, retries_for| {
        let once = set(builder(&ScriptedStore::default())).build().unwrap();
        running(once.begin(IDENTITY, retries_for).await).keep_for().unwrap()
    };
    assert_eq!(kept(|once| once, Some(day)).await, day + hour);
    assert_eq!(kept(|once| once, None).await, DEFAULT_RETRIES_FOR + hour);
    assert_eq!(
        kept(|once| once.margin(Duration::from_secs(1)), Some(day)).await,
        day + Duration::from_secs(1)
    );
    assert_eq!(kept(|once| once.keep_for(Duration::from_secs(2)), Some(day)).await, Duration::from_secs(2));
}

#[test]
fn settings_that_contradict_each_other_are_build_errors() {
    let store = ScriptedStore::default();
    let message = |builder: OnceBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(message(builder(&store).store_timeout(Duration::ZERO)), "the store timeout is zero");
    assert_eq!(
        message(builder(&store).lease(LIMIT)),
        "the lease (1s) is not longer than the store timeout (1s)"
    );
    assert_eq!(message(builder(&store).keep_for(Duration::ZERO)), "the keep time is zero");
}

#[test]
fn without_a_runtime_an_embedded_store_works_and_a_dropped_handler_keeps_its_lease() {
    fn at_once<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("an embedded store has its answer at once"),
        }
    }

    let once = Once::new(MemoryStore::default()).unwrap();
    drop(running(at_once(once.begin(IDENTITY, None))));
    assert_eq!(at_once(once.begin(IDENTITY, None)).outcome(), Outcome::InProgress);
    let other = running(at_once(once.begin(identity(2), None)));
    assert_eq!(at_once(other.complete()).unwrap(), Fence::Passed);
    assert_eq!(at_once(once.begin(identity(2), None)).outcome(), Outcome::Duplicate);
}

#[test]
fn what_a_runtime_that_ends_leaves_behind_is_free_once_the_lease_is_over() {
    let store = ScriptedStore::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let running = runtime.block_on(async { running(once(&store).begin(IDENTITY, None).await) });
    drop(runtime);
    drop(running);
    assert_eq!(store.calls(), ["claim"]);
}
