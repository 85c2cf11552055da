use std::time::{Duration, Instant, SystemTime};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, uri::PathAndQuery};
use http_body_util::Full;

use super::{
    judge::Arrived,
    record::{Attempt, Header, HeaderContent},
};
use crate::{
    failure::Failure,
    hop_by_hop::{HopByHop, plain},
    instant,
    send::client::{Client, NoAnswer},
};

/// Hands verified deliveries to the service, with the bytes that arrived.
pub(crate) struct Forward {
    client: Client,
    url: Uri,
}

/// Limit on an answer that is passed on, in bytes.
const ANSWER_LIMIT: usize = 8 << 20;

/// How much of an answer's body is kept, in bytes.
const ANSWER_KEPT: usize = 16 << 10;

impl Forward {
    pub(crate) fn new(url: Uri, timeout: Duration) -> Result<Self, Failure> {
        if url.query().is_some() {
            return Err(Failure::new("--forward takes a URL without a query: each delivery brings its own"));
        }
        Ok(Self { client: Client::new(&url, timeout)?, url })
    }

    pub(crate) fn url(&self) -> &Uri {
        &self.url
    }

    /// Where a delivery goes: with a path in the service's URL to that path, and otherwise to its own. Its query stays.
    pub(crate) fn address(&self, target: &str) -> Result<Uri, http::Error> {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let path = match self.url.path() {
            "" | "/" => path,
            own => own,
        };
        let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let mut parts = self.url.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(target)?);
        Ok(Uri::from_parts(parts)?)
    }

    /// Sends a delivery to the service, and returns what to note about that beside the answer for the sender.
    pub(crate) async fn send(&self, arrived: &Arrived, is_replay: bool) -> (Attempt, Response<Full<Bytes>>) {
        let (at, started) = (SystemTime::now(), Instant::now());
        let answer = match self.request(arrived) {
            Ok(request) => self.client.send(request, ANSWER_LIMIT).await,
            Err(error) => Err(NoAnswer::new(&error)),
        };
        let mut attempt = Attempt {
            at: instant::to_millis(at),
            is_replay,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            status: None,
            failure: None,
            headers: Vec::new(),
            body: String::new(),
            body_length: 0,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(NoAnswer { reason, is_late }) => {
                attempt.failure = Some(reason);
                let status = if is_late { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
                return (attempt, empty(status));
            }
        };
        let kept = answer.body.get(..ANSWER_KEPT).unwrap_or(&answer.body);
        attempt.status = Some(answer.status.as_u16());
        attempt.body = BASE64_STANDARD.encode(kept);
        attempt.body_length = answer.body.len();
        attempt.headers = shown(&answer.headers);
        if answer.is_cut {
            attempt.failure = Some("the answer is larger than 8 MiB, and is not passed on".to_owned());
            return (attempt, empty(StatusCode::BAD_GATEWAY));
        }
        // Nobody asked for another protocol.
        if answer.status.is_informational() {
            attempt.failure = Some("the service answered with another protocol".to_owned());
            return (attempt, empty(StatusCode::BAD_GATEWAY));
        }
        let mut response = Response::new(Full::new(answer.body.into()));
        *response.status_mut() = answer.status;
        *response.headers_mut() = passed_on(&answer.headers);
        (attempt, response)
    }

    fn request(&self, arrived: &Arrived) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(&*arrived.method).uri(self.address(&arrived.target)?);
        if let Some(all) = request.headers_mut() {
            *all = headers(&arrived.headers)?;
        }
        request.body(Full::new(arrived.body.clone()))
    }
}

/// The headers of a delivery that go to the service.
pub(crate) fn headers(sent: &[(String, Vec<u8>)]) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        headers.append(HeaderName::try_from(name)?, HeaderValue::from_bytes(value)?);
    }
    Ok(passed_on(&headers))
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Headers without those that are about one connection, and without those that tell a service what was verified: of those, the
/// only honest ones are the ones that `countersign serve` sets.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let of_connection = HopByHop::of(headers);
    let is_passed_on = |name: &HeaderName| {
        let name = plain(name.as_str());
        name != "host" && !of_connection.contains(&name) && !name.starts_with("countersign-")
    };
    let passed = headers.iter().filter(|(name, _)| is_passed_on(name));
    passed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn shown(headers: &HeaderMap) -> Vec<Header> {
    let shown = |(name, value): (&HeaderName, &HeaderValue)| Header {
        name: name.as_str().to_owned(),
        value: HeaderContent::new(value.as_bytes()),
    };
    headers.iter().map(shown).collect()
}
