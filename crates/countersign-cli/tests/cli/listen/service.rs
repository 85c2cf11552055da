//! The service that is being developed.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::Request,
    response::Response,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// A request that it got.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: axum::http::HeaderMap,
    pub(super) body: Bytes,
}

/// It runs until it is dropped.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    _runtime: Runtime,
}

impl Service {
    /// It answers with a status.
    pub(super) fn start(status: u16) -> Self {
        Self::answering(move |_| Response::builder().status(status).body("done".into()).unwrap())
    }

    pub(super) fn answering(answer: impl Fn(&Got) -> Response + Clone + Send + Sync + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&got);
        let handler = async move |request: Request| {
            let (head, body) = request.into_parts();
            let got = Got {
                method: head.method.to_string(),
                target: head.uri.path_and_query().unwrap().to_string(),
                headers: head.headers,
                body: to_bytes(body, usize::MAX).await.unwrap(),
            };
            let response = answer(&got);
            log.lock().unwrap().push(got);
            response
        };
        runtime.spawn(async { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { address, got, _runtime: runtime }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it got so far.
    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}
