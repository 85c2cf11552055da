//! What handling once counts, in both frameworks: the set-up chooses every label, and no request adds one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use countersign::senders;
use countersign_once::{MemoryStore, Once};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

use crate::harness::{
    Delivery, hmac_delivery,
    once::{Receiver, Setup, Work},
    verifier,
};

/// Everything counted since the last call, by metric and labels. A histogram counts its values.
fn counted(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let entries = snapshotter.snapshot().into_vec().into_iter();
    entries
        .filter(|(key, ..)| key.key().name().starts_with("countersign_once"))
        .map(|(key, _, _, value)| {
            let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
            let labels = labels.collect::<Vec<_>>().join(",");
            let count = match value {
                DebugValue::Counter(count) => count,
                DebugValue::Histogram(values) => values.len() as u64,
                DebugValue::Gauge(_) => panic!("no metric is a gauge"),
            };
            (format!("{}{{{labels}}}", key.key().name()), count)
        })
        .collect()
}

#[test]
fn attempts_are_counted_by_sender_and_outcome_and_claims_by_their_end() {
    let status = Arc::new(AtomicU16::new(200));
    let answer = Arc::clone(&status);
    let work: Work = Arc::new(move || {
        let status = answer.load(Ordering::Relaxed);
        Box::pin(async move { status })
    });
    for scheme in [senders::moduslink(), senders::extend()] {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let setup = Setup::new(verifier(scheme.clone(), "secret"), Arc::clone(&work));
        let memory = || Once::new(MemoryStore::default()).unwrap();
        let test = async |receiver: Receiver| {
            let delivery = |body: &str| hmac_delivery(scheme.clone(), "secret", body);
            status.store(500, Ordering::Relaxed);
            assert_eq!(receiver.receive(&delivery("1")).await.status, 500);
            status.store(200, Ordering::Relaxed);
            for body in ["1", "1", "1", "2"] {
                assert_eq!(receiver.receive(&delivery(body)).await.status, 200);
            }
            // Nobody counts a request that the guard rejects, or learns a label from one.
            let forged = delivery("1").with_body("3").with_header("x-sender", "forged");
            for rejected in [forged, Delivery::new([], "unsigned")] {
                assert_eq!(receiver.receive(&rejected).await.status, 401);
            }
            let sender = scheme.name();
            let wanted = [
                (format!("countersign_once_decisions_total{{sender={sender},outcome=new}}"), 3),
                (format!("countersign_once_decisions_total{{sender={sender},outcome=duplicate}}"), 2),
                (format!("countersign_once_claims_ended_total{{sender={sender},end=completed}}"), 2),
                (format!("countersign_once_claims_ended_total{{sender={sender},end=released}}"), 1),
                ("countersign_once_store_call_duration_seconds{call=claim,result=ok}".to_owned(), 5),
                ("countersign_once_store_call_duration_seconds{call=complete,result=ok}".to_owned(), 2),
                ("countersign_once_store_call_duration_seconds{call=release,result=ok}".to_owned(), 1),
            ];
            assert_eq!(counted(&snapshotter), wanted.into(), "{}", receiver.framework);
        };
        metrics::with_local_recorder(&recorder, || setup.in_each(memory, test));
    }
}
