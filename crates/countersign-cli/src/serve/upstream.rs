use std::{fmt, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, uri::PathAndQuery};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tower_http::timeout::TimeoutBody;

use super::{address::UpstreamAddress, config::Timeouts, header_hygiene};

/// The connections to the services.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    response_timeout: Duration,
}

/// Why a service gave no answer. Its sender is to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamFailure {
    /// It cannot be reached.
    Away,
    /// It did not answer in time.
    Slow,
    /// It closed the connection, or answered something else than HTTP.
    Broken,
}

/// Node closes idle connections after 5 seconds.
const IDLE: Duration = Duration::from_secs(4);
/// When senders are to come again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

impl Upstream {
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(timeouts.connect));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self { client, response_timeout: timeouts.response }
    }

    /// Sends a verified body to a service. `headers` are those that [`header_hygiene::of_request`] let pass.
    pub(crate) async fn send(
        &self,
        address: &UpstreamAddress,
        method: Method,
        target: PathAndQuery,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Body>, UpstreamFailure> {
        let may_have_body = !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE);
        if may_have_body || !body.is_empty() {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = address.at(target).map_err(|_| UpstreamFailure::Broken)?;
        *request.headers_mut() = headers;
        let answer = tokio::time::timeout(self.response_timeout, self.client.request(request)).await;
        let mut response =
            answer.map_err(|_| UpstreamFailure::Slow)?.map_err(|error| UpstreamFailure::of(&error))?;
        // Nobody asked for another protocol.
        if response.status().is_informational() {
            return Err(UpstreamFailure::Broken);
        }
        header_hygiene::of_response(response.headers_mut());
        Ok(response.map(|body| Body::new(TimeoutBody::new(self.response_timeout, body))))
    }
}

impl UpstreamFailure {
    fn of(error: &Error) -> Self {
        if error.is_connect() { Self::Away } else { Self::Broken }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Slow => "slow",
            Self::Broken => "broken",
        }
    }

    /// The answer to the sender.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = match self {
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::GATEWAY_TIMEOUT,
            Self::Broken => StatusCode::BAD_GATEWAY,
        };
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for UpstreamFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Away => "the service cannot be reached",
            Self::Slow => "the service did not answer in time",
            Self::Broken => "the service broke the connection off, or its answer is not HTTP",
        })
    }
}

impl std::error::Error for UpstreamFailure {}
