use std::{
    io::Write,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Instant, SystemTime},
};

use axum::body::Body;
use bytes::Bytes;
use countersign::Rejection;
use countersign_inbox::Accepted;
use countersign_once::Outcome;
use http::{Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing_appender::non_blocking::NonBlocking;

use super::{facts::Call, measure, upstream::UpstreamFailure};
use crate::escaped::Escaped;

/// Writes a line of JSON for each request.
///
/// It has no secret and no query, which may hold one. What came from outside is escaped as [`Escaped`] does it.
#[derive(Clone, Debug)]
pub(crate) struct AccessLog(NonBlocking);

/// A request that is being answered. Its line is written when the answer has ended, or nobody wants it any more.
pub(crate) struct Entry {
    log: AccessLog,
    began: Instant,
    method: String,
    path: String,
    remote: SocketAddr,
    pub(crate) call: Call,
    pub(crate) route: Option<Arc<str>>,
    answer: Option<Answer>,
    bytes: u64,
    /// The bytes that the answer's body has, if its head says so.
    length: Option<u64>,
    is_complete: bool,
}

/// What the answer tells.
struct Answer {
    status: u16,
    rejection: Option<Rejection>,
    outcome: Option<Outcome>,
    accepted: Option<Accepted>,
    failure: Option<UpstreamFailure>,
    refusal: Option<Refusal>,
}

/// Limit on what a line shows of a method or a path, in bytes.
const LONGEST: usize = 1024;

/// Why a request did not come to a guard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) why: &'static str,
}

#[derive(Serialize)]
struct Line<'e> {
    time: String,
    remote: SocketAddr,
    method: &'e str,
    path: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_in: Option<usize>,
    bytes_out: u64,
    complete: bool,
    milliseconds: f64,
}

impl AccessLog {
    pub(crate) fn new(writer: NonBlocking) -> Self {
        Self(writer)
    }

    pub(crate) fn begin<B>(&self, request: &Request<B>, remote: SocketAddr) -> Entry {
        Entry {
            log: self.clone(),
            began: Instant::now(),
            method: shown(request.method().as_str()),
            path: shown(request.uri().path()),
            remote,
            call: Call::new(remote.ip()),
            route: None,
            answer: None,
            bytes: 0,
            length: None,
            is_complete: false,
        }
    }
}

impl Entry {
    /// Notes what the answer tells, and writes the line when its body has ended.
    pub(crate) fn answered(mut self, response: Response<Body>) -> Response<Logged> {
        let extensions = response.extensions();
        self.answer = Some(Answer {
            status: response.status().as_u16(),
            rejection: extensions.get().cloned(),
            outcome: extensions.get().copied(),
            accepted: extensions.get().copied(),
            failure: extensions.get().copied(),
            refusal: extensions.get().copied(),
        });
        let length = response.headers().get(header::CONTENT_LENGTH);
        self.length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        response.map(|body| Logged { body, entry: self })
    }

    fn line(&self) -> Line<'_> {
        let facts = self.call.facts.get();
        let answer = self.answer.as_ref();
        let rejection = answer.and_then(|answer| answer.rejection.as_ref());
        let refusal = answer.and_then(|answer| answer.refusal);
        Line {
            time: OffsetDateTime::from(SystemTime::now()).format(&Rfc3339).unwrap_or_default(),
            remote: self.remote,
            method: &self.method,
            path: &self.path,
            route: self.route.as_deref(),
            status: answer.map(|answer| answer.status),
            verdict: match (facts, rejection) {
                (Some(_), _) => "verified",
                (None, Some(_)) => "rejected",
                (None, None) => "none",
            },
            sender: facts.map(|facts| facts.verified.scheme().name()).or(rejection.map(Rejection::sender)),
            key: facts
                .map(|facts| facts.verified.key().as_str())
                .or(rejection.and_then(|rejection| Some(rejection.key()?.as_str()))),
            identity: facts.map(|facts| facts.identity.to_string()),
            reason: rejection.map(|rejection| rejection.kind().as_str()),
            detail: rejection
                .map(|rejection| Escaped::line(&rejection.to_string()).to_string())
                .or(refusal.map(|refusal| refusal.why.to_owned())),
            once: answer.and_then(|answer| Some(answer.outcome?.as_str())),
            inbox: answer.and_then(|answer| answer.accepted).map(|accepted| match accepted {
                Accepted::New => "new",
                Accepted::Duplicate => "duplicate",
            }),
            upstream: answer.and_then(|answer| Some(answer.failure?.as_str())),
            bytes_in: facts.map(|facts| facts.bytes),
            bytes_out: self.bytes,
            complete: self.is_complete,
            milliseconds: self.began.elapsed().as_secs_f64() * 1000.0,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let line = self.line();
        measure::answered(line.route, line.status, self.began.elapsed());
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            // A line that nobody reads must not stop a delivery.
            let _ = self.log.0.write_all(&text);
        }
    }
}

/// The beginning of a text from outside. Lines wait in memory until they are written, so a caller must not make them long.
fn shown(text: &str) -> String {
    let bytes = text.as_bytes();
    Escaped::line(bytes.get(..LONGEST).unwrap_or(bytes)).to_string()
}

/// An answer's body, which is counted.
pub(crate) struct Logged {
    body: Body,
    entry: Entry,
}

impl http_body::Body for Logged {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.entry.bytes = self.entry.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            }
            Some(Err(_)) => {}
            None => self.entry.is_complete = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        // An empty body is never polled, and one with a length not beyond it.
        self.entry.is_complete |= self.body.is_end_stream() || self.entry.length == Some(self.entry.bytes);
    }
}
