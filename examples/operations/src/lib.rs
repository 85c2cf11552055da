//! A receiver that an operator can watch: metrics for Prometheus, and the use of each key.

use std::{
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::Request,
    routing::{get, post},
};
use countersign::{BodyBudget, BuildError, KeyUse, Rotating, Scheme, Verifier, metrics::BODY_SIZE, senders};
use countersign_inbox::SqliteInbox;
use countersign_once::Once;
use countersign_tower::{HandleOnceLayer, Verified, VerifyWebhookLayer, accept_into};
use countersign_watch::{Files, Watch, Watching};
use metrics_exporter_prometheus::{
    BuildError as RecorderError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tower_http::trace::TraceLayer;
use tracing::{Span, field::Empty};

/// A recorder with buckets that fit what is measured. Without buckets, the exporter would make summaries, which cannot be summed over
/// instances.
///
/// # Errors
/// Never, as there are buckets.
pub fn recorder() -> Result<PrometheusRecorder, RecorderError> {
    let durations = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
    let sizes = [256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];
    let full = |name: &str| Matcher::Full(name.to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), &durations)?
        .set_buckets_for_metric(full(BODY_SIZE), &sizes)?
        .set_buckets_for_metric(
            full("countersign_inbox_done_seconds"),
            &[0.1, 1.0, 10.0, 60.0, 600.0, 3600.0],
        )?
        .set_buckets_for_metric(full("countersign_inbox_attempts"), &[1.0, 2.0, 3.0, 5.0, 10.0])?;
    Ok(builder.build_recorder())
}

/// A verifier whose keys are in a directory, for as long as the [`Watching`] is kept.
#[derive(Debug)]
pub struct Keys {
    /// What the guard takes.
    pub verifier: Rotating,
    /// How the last load went.
    pub watching: Watching,
}

impl Keys {
    /// Follows two files of a directory: the sender's name for its current secret, and `<name>-previous`, which may be missing.
    ///
    /// # Errors
    /// If the current secret cannot be used.
    pub fn follow(scheme: Scheme, directory: &Path) -> Result<Self, BuildError> {
        let current = directory.join(scheme.name());
        let previous = directory.join(format!("{}-previous", scheme.name()));
        let (verifier, watching) =
            Watch::new().start(move |files| load(&scheme, &current, &previous, files))?;
        Ok(Self { verifier, watching })
    }
}

fn load(
    scheme: &Scheme,
    current: &PathBuf,
    previous: &PathBuf,
    files: &mut Files,
) -> Result<Verifier, BuildError> {
    let mut builder = Verifier::builder(scheme.clone()).secret("current", files.secret(current)?);
    // Followed while it is missing, too.
    files.follow([previous]);
    if previous.exists() {
        builder = builder.secret("previous", files.secret(previous)?);
    }
    builder.build()
}

/// ModusLink's deliveries are handled once. Extend's are stored in the inbox, for a worker.
pub fn receiver(moduslink: &Keys, extend: &Keys, once: Once, inbox: SqliteInbox) -> Router {
    let budget = BodyBudget::new(64 << 20);
    let guard = |keys: &Keys| {
        VerifyWebhookLayer::new(keys.verifier.clone())
            .body_timeout(Duration::from_secs(30))
            .body_budget(budget.clone())
    };
    // The layer that comes first runs first.
    let once = (guard(moduslink), HandleOnceLayer::new(once));
    Router::new()
        .route("/webhooks/moduslink", post(handle).layer(once))
        .route("/webhooks/extend", post(accept_into(inbox)).layer(guard(extend)))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

async fn handle(verified: Verified) {
    tracing::info!(sender = verified.scheme().name(), bytes = verified.body().len(), "handled a delivery");
}

/// The span of a request. The guard fills the fields that it knows.
fn span(request: &Request) -> Span {
    tracing::info_span!(
        "request",
        http.request.method = %request.method(),
        url.path = request.uri().path(),
        webhook.verdict = Empty,
        webhook.sender = Empty,
        webhook.key = Empty,
        webhook.reason = Empty,
        webhook.body.size = Empty,
    )
}

/// For the operator, on an address of its own: `/metrics` for Prometheus, and `/keys` to see which key may go.
pub fn operator(metrics: PrometheusHandle, verifiers: Vec<Rotating>) -> Router {
    let keys = async move || {
        let uses = verifiers.iter().flat_map(|verifier| verifier.current().key_use().collect::<Vec<_>>());
        uses.map(|key| line(&key)).collect::<String>()
    };
    Router::new().route("/metrics", get(async move || metrics.render())).route("/keys", get(keys))
}

fn line(key: &KeyUse) -> String {
    let last = |instant: Option<std::time::SystemTime>| {
        let since_1970 = instant.and_then(|instant| instant.duration_since(UNIX_EPOCH).ok());
        since_1970.map_or_else(|| "never".to_owned(), |since| format!("last at {}", since.as_secs()))
    };
    let (matched, needed) = (last(key.last_matched()), last(key.last_needed()));
    let (sender, id) = (key.sender(), key.key());
    format!(
        "{sender} {id}: matched {} times, {matched}; needed {} times, {needed}\n",
        key.matched(),
        key.needed()
    )
}

/// The schemes of the two senders.
pub fn schemes() -> [Scheme; 2] {
    [senders::moduslink(), senders::extend()]
}
