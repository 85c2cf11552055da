use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio::time::timeout;

use crate::{delivery::Delivery, failure::Failure};

/// How much of an answer's body is kept, in bytes. The rest is not read.
const KEPT: usize = 1 << 10;

/// Sends deliveries over HTTP/1.1. It follows no redirect and uses no proxy.
pub(crate) struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// What a receiver answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// As much of it as was asked for.
    pub(crate) body: Vec<u8>,
    /// Whether the body goes on.
    pub(crate) is_cut: bool,
    /// From before the connection to the end of the answer.
    pub(crate) took: Duration,
}

/// Why no answer came.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) reason: String,
    /// Whether the time was up.
    pub(crate) is_late: bool,
}

impl Client {
    /// A client that trusts the system's certificates, or those in the file that the variable `SSL_CERT_FILE` names.
    pub(crate) fn new(url: &Uri, timeout: Duration) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        if url.scheme_str() == Some("https") {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(Failure::new(
                    "no certificates to trust: install ca-certificates, or name a file in SSL_CERT_FILE",
                ));
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Failure::new)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Self { http: Http::builder(TokioExecutor::new()).build(connector), timeout })
    }

    /// Posts a delivery, and waits for the answer and the first KiB of its body.
    pub(crate) async fn post(&self, delivery: Delivery) -> Result<Answer, NoAnswer> {
        self.send(request(delivery)?, KEPT).await
    }

    /// Sends a request, and waits for the answer and at most so many bytes of its body.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>, most: usize) -> Result<Answer, NoAnswer> {
        let started = Instant::now();
        let answer = timeout(self.timeout, async {
            let response = self.http.request(request).await.map_err(|error| NoAnswer::new(&error))?;
            let (head, mut body) = response.into_parts();
            let mut kept = Vec::new();
            while kept.len() <= most
                && let Some(frame) = body.frame().await
            {
                if let Ok(chunk) = frame.map_err(|error| NoAnswer::new(&error))?.into_data() {
                    kept.extend_from_slice(&chunk);
                }
            }
            let is_cut = kept.len() > most;
            kept.truncate(most);
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: kept,
                is_cut,
                took: started.elapsed(),
            })
        });
        answer.await.unwrap_or_else(|_| {
            let reason = format!("no answer within {} s", self.timeout.as_secs());
            Err(NoAnswer { reason, is_late: true })
        })
    }
}

impl NoAnswer {
    /// With all causes, of which the innermost says the most.
    pub(crate) fn new(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut inner = error.source();
        while let Some(cause) = inner {
            text.push_str(&format!(": {cause}"));
            inner = cause.source();
        }
        Self { reason: text, is_late: false }
    }
}

fn request(delivery: Delivery) -> Result<Request<Full<Bytes>>, NoAnswer> {
    let Delivery { method, url, headers, body } = delivery;
    let mut request = Request::builder().method(&*method).uri(url);
    for (name, value) in &headers {
        let name = HeaderName::try_from(name).map_err(|error| NoAnswer::new(&error))?;
        request = request.header(name, HeaderValue::try_from(value).map_err(|error| NoAnswer::new(&error))?);
    }
    request.body(Full::new(body.into())).map_err(|error| NoAnswer::new(&error))
}
