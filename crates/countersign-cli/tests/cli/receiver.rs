//! A receiver behind the library's guard.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use axum::{Router, routing::post};
use countersign::{Rejection, RejectionKind, Verifier};
use countersign_tower::{Verified, VerifyWebhookLayer};
use tokio::{net::TcpListener, runtime::Runtime};

/// Runs until it is dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    reasons: Arc<Mutex<Vec<RejectionKind>>>,
    _runtime: Runtime,
}

impl Receiver {
    /// A receiver on a free port, whose verifier may need its address. It answers with the verified body.
    pub(crate) fn start(verifier: impl FnOnce(&str) -> Verifier) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let reasons = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&reasons);
        let guard = VerifyWebhookLayer::new(verifier(&url))
            .on_reject(move |rejection: &Rejection| log.lock().unwrap().push(rejection.kind()));
        let handler = post(async |verified: Verified| verified.body().to_vec()).layer(guard);
        runtime.spawn(async { axum::serve(listener, Router::new().route("/hook", handler)).await });
        Self { url, reasons, _runtime: runtime }
    }

    /// The reasons of the rejections since the last call.
    pub(crate) fn reasons(&self) -> Vec<RejectionKind> {
        mem::take(&mut self.reasons.lock().unwrap())
    }
}
