//! The metrics of `countersign serve`, beside those of the crates that it is made of.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::ErrorCounter;

use crate::failure::Failure;

const ANSWERS: &str = "countersign_serve_answers_total";
const LINES_LOST: &str = "countersign_serve_log_lines_lost_total";
const SECONDS: &str = "countersign_serve_seconds";

/// From the time that a fast service takes to the time that senders wait.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

const UPKEEP: Duration = Duration::from_secs(5);

/// Collects the metrics of this process.
pub(crate) fn install() -> Result<PrometheusHandle, Failure> {
    let failed = |error| Failure::new(format_args!("cannot collect metrics: {error}"));
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .map_err(failed)?;
    let handle = builder.install_recorder().map_err(failed)?;
    metrics::describe_counter!(ANSWERS, "Answers by route and status; none if the caller went away");
    metrics::describe_histogram!(SECONDS, "From a request's head to the end of its answer, in seconds");
    metrics::describe_counter!(
        LINES_LOST,
        "Lines of the access log that nobody took from the standard output in time"
    );
    countersign::metrics::describe();
    countersign_once::metrics::describe();
    Ok(handle)
}

/// Frees what the metrics of the past hold, and counts the lines that the access log has lost.
pub(crate) async fn upkeep(metrics: PrometheusHandle, lost: ErrorCounter) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
        metrics::counter!(LINES_LOST).absolute(u64::try_from(lost.dropped_lines()).unwrap_or(u64::MAX));
    }
}

pub(crate) fn answered(route: Option<&str>, status: Option<u16>, time: Duration) {
    let route = route.unwrap_or_default().to_owned();
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    metrics::counter!(ANSWERS, "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!(SECONDS, "route" => route).record(time);
}
