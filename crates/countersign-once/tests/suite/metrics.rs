//! What the feature `metrics` counts.

use std::{collections::BTreeMap, future::Future, time::Duration};

use countersign::senders::{extend, moduslink};
use countersign_once::{
    Decision, Fence, Identity, MemoryStore, Once, Running, WhenUnavailable,
    metrics::{CLAIMS_ENDED, DECISIONS, STORE_CALL_DURATION, describe},
};
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::time::sleep;

use crate::scripted_store::{ScriptedStore, Step, Wait};

const FINE: Step = Step { before: Wait::No, without_effect: false, after: Wait::No, fails: false };
const FAILS: Step = Step { fails: true, without_effect: true, ..FINE };
const HANGS: Step = Step { before: Wait::ForEver, ..FINE };

/// Each metric that was recorded, as `name{label=value,…}`, and its count. A histogram counts its values.
type Counts = BTreeMap<String, u64>;

/// Runs this on a thread whose time is paused, and returns what it records.
fn recorded<F: Future>(run: impl FnOnce() -> F) -> Counts {
    let recorder = DebuggingRecorder::new();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(async { run().await }));
    let entries = recorder.snapshotter().snapshot().into_vec().into_iter();
    entries
        .map(|(key, _, _, value)| {
            let labels: Vec<_> =
                key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let count = match value {
                DebugValue::Counter(count) => count,
                DebugValue::Histogram(values) => values.len() as u64,
                DebugValue::Gauge(_) => panic!("no gauge"),
            };
            (format!("{}{{{}}}", key.key().name(), labels.join(",")), count)
        })
        .collect()
}

fn counts<const N: usize>(metric: &str, counts: [(&str, u64); N]) -> Counts {
    counts.into_iter().map(|(labels, count)| (format!("{metric}{{{labels}}}"), count)).collect()
}

fn only(recorded: &Counts, metric: &str) -> Counts {
    let of_metric = |(name, _): &(&String, &u64)| name.starts_with(metric);
    recorded.iter().filter(of_metric).map(|(name, count)| (name.clone(), *count)).collect()
}

fn identity(number: u8) -> Identity {
    Identity::from_bytes([number; 32])
}

async fn running(once: &Once, number: u8) -> Running {
    match once.begin(identity(number), None).await {
        Decision::Handle(running) => running,
        decision => panic!("{decision:?}"),
    }
}

#[test]
fn each_decision_counts_once_by_sender_and_outcome() {
    let recorded = recorded(async || {
        let once = Once::new(MemoryStore::default()).unwrap();
        let Decision::Handle(shipped) = once.begin_from(&moduslink(), identity(1)).await else {
            panic!("it is new")
        };
        let _ = once.begin_from(&moduslink(), identity(1)).await;
        assert_eq!(shipped.complete().await.unwrap(), Fence::Passed);
        for _ in 0..3 {
            let _ = once.begin_from(&moduslink(), identity(1)).await;
        }
        let _ = once.begin(identity(1), None).await;
        let away = Once::new(ScriptedStore::new([FAILS])).unwrap();
        let _ = away.begin_from(&extend(), identity(1)).await;
        let builder = Once::builder(ScriptedStore::new([FAILS]));
        let unguarded = builder.when_unavailable(WhenUnavailable::GoOn).build().unwrap();
        let _ = unguarded.begin_from(&extend(), identity(1)).await;
    });
    assert_eq!(
        only(&recorded, DECISIONS),
        counts(
            DECISIONS,
            [
                ("sender=moduslink,outcome=new", 1),
                ("sender=moduslink,outcome=in_progress", 1),
                ("sender=moduslink,outcome=duplicate", 3),
                ("sender=unknown,outcome=duplicate", 1),
                ("sender=extend,outcome=unavailable", 1),
                ("sender=extend,outcome=unguarded", 1),
            ]
        )
    );
    // A handler that runs unguarded holds no claim.
    assert_eq!(only(&recorded, CLAIMS_ENDED), counts(CLAIMS_ENDED, [("sender=moduslink,end=completed", 1)]));
}

#[test]
fn each_claim_counts_once_by_how_it_ended() {
    let recorded = recorded(async || {
        let once = Once::new(MemoryStore::default()).unwrap();
        assert_eq!(running(&once, 1).await.complete().await.unwrap(), Fence::Passed);
        assert_eq!(running(&once, 2).await.release().await.unwrap(), Fence::Passed);
        drop(running(&once, 3).await);

        let store = MemoryStore::default();
        let builder = Once::builder(store.clone()).store_timeout(Duration::from_millis(1));
        let brief = builder.lease(Duration::from_millis(2)).build().unwrap();
        let late = running(&brief, 1).await;
        // The store's clock is the system's, which a test cannot pause.
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(running(&Once::new(store).unwrap(), 1).await.complete().await.unwrap(), Fence::Passed);
        assert_eq!(late.complete().await.unwrap(), Fence::Lost);

        // The answer is lost, so the background repeats the completion.
        let repeated = Once::new(ScriptedStore::new([FINE, FAILS, HANGS])).unwrap();
        assert!(running(&repeated, 1).await.complete().await.is_err());
        // It fails until it is given up.
        let broken = Once::new(ScriptedStore::new([FINE].into_iter().chain(vec![FAILS; 1000]))).unwrap();
        assert!(running(&broken, 1).await.complete().await.is_err());
        sleep(Duration::from_secs(600)).await;
    });
    assert_eq!(
        only(&recorded, CLAIMS_ENDED),
        counts(
            CLAIMS_ENDED,
            [
                ("sender=unknown,end=completed", 3),
                ("sender=unknown,end=released", 2),
                ("sender=unknown,end=lost", 1),
                ("sender=unknown,end=failed", 1),
            ]
        )
    );
    let total: u64 = only(&recorded, CLAIMS_ENDED).values().sum();
    assert_eq!(recorded[&format!("{DECISIONS}{{sender=unknown,outcome=new}}")], total);
}

#[test]
fn each_wait_for_the_store_is_timed_by_method_and_result() {
    let recorded = recorded(async || {
        let once = Once::new(ScriptedStore::new([FINE, FINE, FINE, FAILS, HANGS, FINE])).unwrap();
        let mut first = running(&once, 1).await;
        assert_eq!(first.extend(Duration::from_secs(60)).await.unwrap(), Fence::Passed);
        assert_eq!(first.complete().await.unwrap(), Fence::Passed);
        assert_eq!(once.begin(identity(2), None).await.outcome().as_str(), "unavailable");
        sleep(Duration::from_secs(600)).await;
    });
    // The claim that failed may have been granted: it is released, and the first release hangs.
    assert_eq!(
        only(&recorded, STORE_CALL_DURATION),
        counts(
            STORE_CALL_DURATION,
            [
                ("call=claim,result=ok", 1),
                ("call=claim,result=error", 1),
                ("call=extend,result=ok", 1),
                ("call=complete,result=ok", 1),
                ("call=release,result=timeout", 1),
            ]
        )
    );
}

#[test]
fn each_metric_has_a_description_and_a_unit() {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        describe();
        metrics::counter!(DECISIONS).increment(1);
        metrics::counter!(CLAIMS_ENDED).increment(1);
        metrics::histogram!(STORE_CALL_DURATION).record(1.0);
    });
    let described = recorder.snapshotter().snapshot().into_vec();
    assert_eq!(described.len(), 3);
    for (key, unit, description, _) in described {
        let wanted = if key.key().name() == STORE_CALL_DURATION { Unit::Seconds } else { Unit::Count };
        assert_eq!((unit, description.is_some()), (Some(wanted), true), "{}", key.key().name());
    }
}
