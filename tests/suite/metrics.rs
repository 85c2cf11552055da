//! What the core counts: the set-up chooses every label, and no request adds one.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use countersign::{Key, Secret, Verifier, senders};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use crate::harness::{Delivery, hmac_delivery, now};

/// Everything that is counted while these deliveries are verified.
fn counted(verifier: &Verifier, deliveries: &[Delivery]) -> BTreeMap<String, u64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        for delivery in deliveries {
            // The verdict is in the count.
            let _ = verifier.verify(&delivery.head(), &delivery.body(), now());
        }
    });
    let entries = snapshotter.snapshot().into_vec().into_iter();
    entries
        .map(|(key, _, _, value)| {
            let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
            let labels = labels.collect::<Vec<_>>().join(",");
            let DebugValue::Counter(count) = value else { panic!("every metric of the core is a counter") };
            (format!("{}{{{labels}}}", key.key().name()), count)
        })
        .collect()
}

#[test]
fn deliveries_are_counted_by_sender_and_key_or_reason() {
    let expired = now().checked_sub(Duration::from_secs(1)).unwrap_or(SystemTime::UNIX_EPOCH);
    let verifier = Verifier::builder(senders::moduslink())
        .key(Key::secret("old", Secret::new("old")).expires_at(expired))
        .secret("new", Secret::new("new"))
        .build()
        .unwrap();
    let signed = |secret| hmac_delivery(senders::moduslink(), secret, "an order");
    let forged = signed("forged").with_header("x-sender", "forged");
    let deliveries = [signed("new"), signed("new"), signed("old"), forged, Delivery::new([], "unsigned")];
    let wanted = [
        ("countersign_deliveries_verified_total{sender=moduslink,key=new}", 2),
        ("countersign_deliveries_rejected_total{sender=moduslink,reason=key_expired,key=old}", 1),
        ("countersign_deliveries_rejected_total{sender=moduslink,reason=signature_mismatch,key=}", 1),
        ("countersign_deliveries_rejected_total{sender=moduslink,reason=signature_missing,key=}", 1),
    ];
    let wanted: BTreeMap<_, _> = wanted.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!(counted(&verifier, &deliveries), wanted);
}
