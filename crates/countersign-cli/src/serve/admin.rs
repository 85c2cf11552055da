use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Json, Router, extract::State, routing::get};
use countersign_watch::Watching;
use http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::net::TcpListener;

/// What the administrator's port tells.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) watching: Arc<Watching>,
    pub(crate) metrics: PrometheusHandle,
    /// Whether the program has been told to stop.
    pub(crate) is_stopping: Arc<AtomicBool>,
}

impl Admin {
    pub(crate) async fn run(self, listener: TcpListener) {
        let metrics = self.metrics.clone();
        let app = Router::new()
            .route("/health", get(health))
            .route("/ready", get(ready))
            .route("/metrics", get(async move || metrics.render()))
            .with_state(self);
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!("the administrator's port is closed: {error}");
        }
    }
}

/// 200 as long as the process answers. A configuration that does not load is told here, and is no reason to restart.
async fn health(State(admin): State<Admin>) -> Json<Value> {
    let status = admin.watching.status();
    let loaded_at = OffsetDateTime::from(status.loaded_at).format(&Rfc3339).ok();
    Json(json!({
        "status": "ok",
        "configuration": { "loaded_at": loaded_at, "not_loaded": status.failure },
    }))
}

/// 200 while requests are taken, 503 once the program has been told to stop.
async fn ready(State(admin): State<Admin>) -> (StatusCode, Json<Value>) {
    if admin.is_stopping.load(Ordering::Acquire) {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "stopping" })))
    } else {
        (StatusCode::OK, Json(json!({ "status": "ready" })))
    }
}
