use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Wanted,
    client::{Answer, NoAnswer},
};
use crate::{escaped::Escaped, failure::Failure, output::Output};

/// Limit on the different reasons for a missing answer that are told apart.
const MOST_REASONS: usize = 20;

/// The answers to a load of deliveries.
pub(crate) struct Summary {
    wanted: Wanted,
    started: Instant,
    statuses: BTreeMap<StatusCode, u64>,
    missing: BTreeMap<String, u64>,
    unwanted: u64,
    is_interrupted: bool,
    /// In microseconds; `None` until an answer came.
    latency: Option<Histogram<u64>>,
    /// The body of the only answer so far.
    body: Vec<u8>,
}

impl Summary {
    pub(crate) fn new(wanted: Wanted) -> Self {
        // At three digits it holds up to an hour in 200 KiB. The bounds are valid, so it is always there.
        let latency = Histogram::new_with_bounds(1, 3_600_000_000, 3).ok();
        Self {
            wanted,
            started: Instant::now(),
            statuses: BTreeMap::new(),
            missing: BTreeMap::new(),
            unwanted: 0,
            is_interrupted: false,
            latency,
            body: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, result: Result<Answer, NoAnswer>) {
        match result {
            Ok(Answer { status, body, took, .. }) => {
                count(&mut self.statuses, status);
                if !self.wanted.is(status) {
                    self.unwanted = self.unwanted.saturating_add(1);
                }
                if let Some(latency) = &mut self.latency {
                    latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
                }
                self.body = body;
            }
            Err(NoAnswer { reason, .. }) => {
                self.unwanted = self.unwanted.saturating_add(1);
                let is_full = self.missing.len() >= MOST_REASONS && !self.missing.contains_key(&reason);
                count(&mut self.missing, if is_full { "other reasons".to_owned() } else { reason });
            }
        }
    }

    /// Notes that the user did not wait for the other answers.
    pub(crate) fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    pub(crate) fn is_as_wanted(&self) -> bool {
        self.unwanted == 0 && !self.is_interrupted
    }

    pub(crate) fn json(&self) -> Value {
        let statuses: BTreeMap<String, u64> =
            self.statuses.iter().map(|(status, count)| (status.as_str().to_owned(), *count)).collect();
        json!({
            "sent": self.sent(),
            "as_wanted": self.is_as_wanted(),
            "unwanted": self.unwanted,
            "interrupted": self.is_interrupted,
            "statuses": statuses,
            "no_answer": self.missing,
            "seconds": self.started.elapsed().as_secs_f64(),
            "latency_ms": self.latencies().map(|list| list.into_iter().collect::<BTreeMap<_, _>>()),
        })
    }

    pub(crate) fn write(&self, out: &mut Output) -> Result<(), Failure> {
        let took = self.started.elapsed();
        if self.sent() > 1 {
            writeln!(
                out,
                "{} sent in {:.2} s, {:.0} a second",
                self.sent(),
                took.as_secs_f64(),
                self.per_second(took)
            )?;
        }
        if self.is_interrupted {
            writeln!(out, "interrupted after {} answers", self.sent())?;
        }
        for (status, count) in &self.statuses {
            let mark = if self.wanted.is(*status) { "" } else { ", not wanted" };
            writeln!(out, "  {status}: {count}{mark}")?;
        }
        for (reason, count) in &self.missing {
            writeln!(out, "  no answer: {count}, {}", Escaped::line(reason))?;
        }
        if let Some(latencies) = self.latencies() {
            let latencies = latencies.map(|(name, value)| format!("{name} {value:.1} ms"));
            writeln!(out, "  latency: {}", latencies.join(", "))?;
        }
        if self.sent() == 1 && !self.body.is_empty() {
            writeln!(out, "  {}", Escaped::line(&self.body))?;
        }
        Ok(())
    }

    fn sent(&self) -> u64 {
        self.statuses.values().chain(self.missing.values()).sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "it is shown without decimals")]
    fn per_second(&self, took: Duration) -> f64 {
        self.sent() as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// In milliseconds; `None` without an answer.
    fn latencies(&self) -> Option<[(&'static str, f64); 5]> {
        let latency = self.latency.as_ref().filter(|latency| !latency.is_empty())?;
        let at = |quantile| latency.value_at_quantile(quantile);
        let list = [
            ("min", latency.min()),
            ("median", at(0.5)),
            ("p90", at(0.9)),
            ("p99", at(0.99)),
            ("max", latency.max()),
        ];
        Some(list.map(|(name, micros)| (name, Duration::from_micros(micros).as_secs_f64() * 1000.0)))
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}
