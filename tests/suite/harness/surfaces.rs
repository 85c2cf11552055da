use std::{
    cell::LazyCell,
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use countersign::{Rejection, RejectionKind, Verified, Verifier};
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use super::{Delivery, now};

/// What came of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The id of the key that signed it, or why it was refused.
    pub(crate) verdict: Result<String, RejectionKind>,
    /// The bodies that the handler saw: one for a verified delivery, none for a rejection.
    pub(crate) seen: Vec<Bytes>,
}

impl Outcome {
    pub(crate) fn verified(key: &str, body: Vec<u8>) -> Self {
        Self { verdict: Ok(key.to_owned()), seen: vec![Bytes::from(body)] }
    }

    pub(crate) fn rejected(kind: RejectionKind) -> Self {
        Self { verdict: Err(kind), seen: Vec::new() }
    }
}

pub(crate) struct Surface {
    pub(crate) name: &'static str,
    pub(crate) deliver: fn(&Verifier, &Delivery) -> Outcome,
}

/// Every way in which a delivery can reach a verifier.
pub(crate) const SURFACES: &[Surface] = &[
    Surface { name: "core, one-shot", deliver: core_one_shot },
    Surface { name: "core, chunked", deliver: core_chunked },
    Surface { name: "tower", deliver: tower },
    Surface { name: "axum", deliver: axum },
];

fn core_one_shot(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let body = delivery.body();
    core_outcome(verifier.verify(&delivery.headers, &body, now()), body)
}

fn core_chunked(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let verify = || {
        let mut verification = verifier.begin(&delivery.headers, now())?;
        for chunk in &delivery.chunks {
            verification.update(chunk)?;
        }
        verification.finish()
    };
    core_outcome(verify(), delivery.body())
}

fn core_outcome(verdict: Result<Verified, Rejection>, body: Vec<u8>) -> Outcome {
    match verdict {
        Ok(verified) => Outcome::verified(verified.key().as_str(), body),
        Err(rejection) => Outcome::rejected(rejection.kind()),
    }
}

/// A handler that keeps what it saw, so that a test can tell that it saw nothing.
type Spy = Arc<Mutex<Vec<(String, Bytes)>>>;

fn tower(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let spy = Spy::default();
    let handler = service_fn(|request: Request<VerifiedBody>| {
        let spy = Arc::clone(&spy);
        async move {
            let key = request.extensions().get::<Verified>().unwrap().key().to_string();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            spy.lock().unwrap().push((key, body));
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let guarded = VerifyWebhookLayer::new(verifier.clone()).layer(handler);
    let response = block_on(guarded.oneshot(request(delivery))).unwrap();
    http_outcome(&response.map(drop), &spy)
}

fn axum(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let spy = Spy::default();
    let handler = {
        let spy = Arc::clone(&spy);
        async move |verified: countersign_tower::Verified, body: Bytes| {
            spy.lock().unwrap().push((verified.key().to_string(), body));
        }
    };
    let app = Router::new().route("/", any(handler)).layer(VerifyWebhookLayer::new(verifier.clone()));
    let response = block_on(app.oneshot(request(delivery).map(Body::new))).unwrap();
    http_outcome(&response.map(drop), &spy)
}

/// Why tower rejects a delivery whose body must not be read.
pub(crate) fn kind_unread(verifier: &Verifier, delivery: &Delivery) -> RejectionKind {
    let handler = service_fn(|_: Request<VerifiedBody>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let guarded = VerifyWebhookLayer::new(verifier.clone()).layer(handler);
    let response = block_on(guarded.oneshot(request(delivery).map(|_| Unreadable))).unwrap();
    response.extensions().get::<Rejection>().unwrap().kind()
}

/// A body that must not be read.
struct Unreadable;

impl http_body::Body for Unreadable {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("the body was read");
    }
}

/// The request with its body in the delivery's chunks.
pub(crate) fn request(delivery: &Delivery) -> Request<Chunks> {
    let mut request = Request::post("/").body(Chunks(delivery.chunks.clone().into())).unwrap();
    for (name, value) in &delivery.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn http_outcome(response: &Response<()>, spy: &Spy) -> Outcome {
    let (keys, seen): (Vec<String>, Vec<Bytes>) = spy.lock().unwrap().drain(..).unzip();
    let verdict = match response.extensions().get::<Rejection>() {
        Some(rejection) => {
            assert_eq!(response.status().as_u16(), rejection.status());
            Err(rejection.kind())
        }
        None => {
            assert_eq!(response.status(), 200);
            Ok(keys.concat())
        }
    };
    Outcome { verdict, seen }
}

/// A body that arrives in these chunks, and that never says beforehand how long it is or that it is over.
#[derive(Default)]
pub(crate) struct Chunks(VecDeque<Bytes>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|chunk| Ok(Frame::data(chunk))))
    }
}

/// Runs to its end what no test has to run beside.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: LazyCell<tokio::runtime::Runtime> = const {
            LazyCell::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
        };
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
