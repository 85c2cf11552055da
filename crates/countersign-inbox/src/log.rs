//! What is told: events (feature `tracing`) and metrics (feature `metrics`).

use std::time::SystemTime;

use countersign::{Identity, VerifiedDelivery};

use crate::{
    AcceptError, Accepted, Failure, StoreError,
    store::{Candidate, Ending, Finish},
};

macro_rules! event {
    ($level:ident, $($event:tt)+) => {
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "countersign_inbox", $($event)+)
    };
}

pub(crate) fn accepted(
    delivery: &VerifiedDelivery,
    identity: &Identity,
    accepted: &Result<Accepted, AcceptError>,
) {
    let sender = delivery.scheme().name();
    let result = match accepted {
        Ok(Accepted::New) => {
            event!(debug, sender, %identity, "webhook delivery stored");
            "new"
        }
        Ok(Accepted::Duplicate) => {
            event!(debug, sender, %identity, "webhook delivery is stored already");
            "duplicate"
        }
        Err(failure) => {
            event!(warn, sender, %identity, %failure, "webhook delivery not stored");
            if let AcceptError::Full { .. } = failure { "full" } else { "unavailable" }
        }
    };
    #[cfg(feature = "metrics")]
    metrics::counter!("countersign_inbox_deliveries_total", "sender" => sender.to_owned(), "result" => result)
        .increment(1);
}

pub(crate) fn finished(finish: &Finish, sender: &str, attempt: u32, received_at: SystemTime) {
    let id = finish.id;
    let result = match &finish.ending {
        Ending::Done { .. } => {
            event!(debug, id, sender, attempt, "webhook delivery handled");
            "done"
        }
        Ending::Retry { after, failure } => {
            event!(
                warn,
                id,
                sender,
                attempt,
                ?after,
                failure,
                "webhook delivery failed and will be tried again"
            );
            "retry"
        }
        Ending::Dead { failure } => {
            event!(
                error,
                id,
                sender,
                attempt,
                failure,
                "webhook delivery failed for good: it is a dead letter now"
            );
            "dead"
        }
        Ending::HandedBack => {
            event!(debug, id, sender, "webhook delivery handed back");
            "handed_back"
        }
    };
    #[cfg(feature = "metrics")]
    {
        attempt_ended(sender, result);
        if let Ending::Done { .. } = finish.ending {
            let seconds = received_at.elapsed().unwrap_or_default().as_secs_f64();
            metrics::histogram!("countersign_inbox_done_seconds", "sender" => sender.to_owned())
                .record(seconds);
            metrics::histogram!("countersign_inbox_attempts", "sender" => sender.to_owned()).record(attempt);
        }
    }
}

pub(crate) fn lost(id: i64, sender: &str) {
    event!(warn, id, sender, "webhook delivery taken over by another worker before its handler ended");
    #[cfg(feature = "metrics")]
    attempt_ended(sender, "lost");
}

pub(crate) fn buried(dead: &[Candidate]) {
    for candidate in dead {
        let (id, attempt) = (candidate.id, candidate.attempts);
        event!(
            error,
            id,
            attempt,
            failure = crate::claim::VANISHED,
            "webhook delivery failed for good: it is a dead letter now"
        );
    }
    #[cfg(feature = "metrics")]
    metrics::counter!("countersign_inbox_vanished_total").increment(u64::try_from(dead.len()).unwrap_or(0));
}

#[cfg(feature = "metrics")]
fn attempt_ended(sender: &str, result: &'static str) {
    metrics::counter!("countersign_inbox_attempts_total", "sender" => sender.to_owned(), "result" => result)
        .increment(1);
}

pub(crate) fn failed_after_commit(id: i64, failure: &Failure) {
    event!(warn, id, %failure, "a handler failed after its transaction had made the webhook delivery done");
}

pub(crate) fn not_claimed(failure: &StoreError) {
    event!(warn, %failure, "no webhook deliveries taken out of the inbox");
}

pub(crate) fn not_finished(id: i64, failure: &StoreError) {
    event!(warn, id, %failure, "the end of a webhook delivery's handler was not written");
}

pub(crate) fn not_extended(failure: &StoreError) {
    event!(warn, %failure, "leases of webhook deliveries not extended");
}

pub(crate) fn not_removed(failure: &StoreError) {
    event!(warn, %failure, "finished webhook deliveries not removed");
}

pub(crate) fn shutting_down(handlers: usize) {
    event!(info, handlers, "the inbox's worker takes no more deliveries");
}

#[cfg(feature = "metrics")]
pub(crate) fn filled(stats: &crate::Stats) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, exact up to 2^53")]
    let count = |count: u64| count as f64;
    let states = [
        ("pending", stats.pending),
        ("running", stats.running),
        ("waiting", stats.waiting),
        ("dead", stats.dead),
        ("finished", stats.finished),
    ];
    for (state, deliveries) in states {
        metrics::gauge!("countersign_inbox_entries", "state" => state).set(count(deliveries));
    }
    let oldest = stats.oldest.unwrap_or_default().as_secs_f64();
    metrics::gauge!("countersign_inbox_oldest_seconds").set(oldest);
}
