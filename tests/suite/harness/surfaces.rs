use std::{
    cell::LazyCell,
    collections::{BTreeSet, VecDeque},
    convert::Infallible,
    fmt::Debug,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use actix_http::BoxedPayloadStream;
use actix_web::{
    App, HttpResponse,
    dev::{Payload, Service},
    error::PayloadError,
    http::ConnectionType,
    test::TestRequest,
    web,
};
use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use countersign::{Linger, Rejection, RejectionKind, Verified, VerifiedDelivery, Verifier, VerifierSource};
use countersign_actix::VerifyWebhook;
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use futures_core::Stream;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc;
use tower::{Layer, ServiceExt, service_fn};

use super::{Delivery, now};

/// The result of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The id of the key that signed it, or why it was rejected.
    pub(crate) verdict: Result<String, RejectionKind>,
    /// The bodies the handler saw: one for a verified delivery, none for a rejection.
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

/// Every way a delivery can reach a verifier.
pub(crate) const SURFACES: &[Surface] = &[
    Surface { name: "core, one-shot", deliver: core_one_shot },
    Surface { name: "core, chunked", deliver: core_chunked },
    Surface { name: "tower", deliver: tower },
    Surface { name: "axum", deliver: axum },
    Surface { name: "actix", deliver: actix },
];

/// Asserts that every surface gives this outcome.
#[track_caller]
pub(crate) fn assert_outcome(verifier: &Verifier, delivery: &Delivery, outcome: &Outcome) {
    for surface in SURFACES {
        assert_eq!(&(surface.deliver)(verifier, delivery), outcome, "{}", surface.name);
    }
}

fn core_one_shot(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let body = delivery.body();
    core_outcome(verifier.verify(&delivery.head(), &body, now()), body)
}

fn core_chunked(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let verify = || {
        let mut verification = verifier.begin(&delivery.head(), now())?;
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

/// Records what the handler saw, so that a test can assert that it saw nothing.
type Spy = Arc<Mutex<Vec<(String, Bytes)>>>;

/// Records the body, which must be the one that the proof was made for.
fn see(spy: &Spy, verified: &VerifiedDelivery, body: Bytes) {
    assert_eq!(verified.body(), &body);
    spy.lock().unwrap().push((verified.key().to_string(), body));
}

fn tower(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let spy = Spy::default();
    let handler = service_fn(|request: Request<VerifiedBody>| {
        let spy = Arc::clone(&spy);
        async move {
            let verified = request.extensions().get::<VerifiedDelivery>().unwrap().clone();
            see(&spy, &verified, request.into_body().collect().await.unwrap().to_bytes());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let guarded = VerifyWebhookLayer::new(verifier.clone()).layer(handler);
    http_outcome(block_on(guarded.oneshot(request(delivery))).unwrap(), &spy)
}

fn axum(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let spy = Spy::default();
    let handler = {
        let spy = Arc::clone(&spy);
        async move |verified: countersign_tower::Verified, body: Bytes| see(&spy, &verified, body)
    };
    let app = Router::new().fallback(any(handler)).layer(VerifyWebhookLayer::new(verifier.clone()));
    http_outcome(block_on(app.oneshot(request(delivery).map(Body::new))).unwrap(), &spy)
}

fn actix(verifier: &Verifier, delivery: &Delivery) -> Outcome {
    let spy = Spy::default();
    let handler = {
        let spy = Arc::clone(&spy);
        move |verified: countersign_actix::Verified, body: Bytes| {
            see(&spy, &verified, body);
            std::future::ready(HttpResponse::Ok())
        }
    };
    let guard = VerifyWebhook::new(verifier.clone());
    let app = App::new()
        .app_data(web::PayloadConfig::new(64 << 20))
        .wrap(guard)
        .default_service(web::route().to(handler));
    block_on(async {
        let app = actix_web::test::init_service(app).await;
        let response = app.call(actix_request(delivery)).await.unwrap();
        let rejection = response.response().extensions().get::<Rejection>().cloned();
        let headers = response.headers().iter().map(|(name, value)| header(name.as_str(), value.as_bytes()));
        // actix-web writes this header from a field of the response's head.
        let closes = response.response().head().connection_type() == ConnectionType::Close;
        let headers = headers.chain(closes.then(|| header("connection", b"close"))).collect();
        let status = response.status().as_u16();
        let body = actix_web::test::read_body(response).await;
        outcome(status, &headers, &body, rejection.as_ref(), &spy)
    })
}

/// The delivery as an actix-web request whose payload has the same chunks.
pub(crate) fn actix_request(delivery: &Delivery) -> actix_http::Request {
    actix_request_with(delivery, Chunks(delivery.chunks.clone().into()))
}

/// The head of a delivery with another body.
pub(crate) fn actix_request_with(
    delivery: &Delivery,
    body: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
) -> actix_http::Request {
    let mut request = TestRequest::with_uri(&delivery.target).method(delivery.method.parse().unwrap());
    for (name, value) in &delivery.headers {
        let value = actix_web::http::header::HeaderValue::from_bytes(value).unwrap();
        request = request.append_header((name.as_str(), value));
    }
    let payload: BoxedPayloadStream = Box::pin(body);
    request.to_request().replace_payload(Payload::Stream { payload }).0
}

/// Returns the kind with which both adapters reject the delivery, and panics if either reads its body.
pub(crate) fn kind_unread(verifier: &Verifier, delivery: &Delivery) -> RejectionKind {
    block_on(kind_unread_of(verifier.clone().into(), delivery.clone()))
}

/// The same, with a verifier from elsewhere.
pub(crate) async fn kind_unread_of(source: VerifierSource, delivery: Delivery) -> RejectionKind {
    let handler = service_fn(|_: Request<VerifiedBody>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let guarded = VerifyWebhookLayer::new(source.clone()).linger(Linger::OFF).layer(handler);
    let response = guarded.oneshot(request(&delivery).map(|_| Unreadable)).await.unwrap();
    let in_tower = response.extensions().get::<Rejection>().unwrap().kind();

    let guard = VerifyWebhook::new(source).linger(Linger::OFF);
    let app = App::new().wrap(guard).default_service(web::to(HttpResponse::Ok));
    let app = actix_web::test::init_service(app).await;
    let payload: BoxedPayloadStream = Box::pin(Unreadable);
    let request = actix_request(&delivery).replace_payload(Payload::Stream { payload }).0;
    let response = app.call(request).await.unwrap();
    let in_actix = response.response().extensions().get::<Rejection>().unwrap().kind();
    assert_eq!(in_tower, in_actix);
    in_tower
}

impl Stream for Unreadable {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        panic!("the body was read");
    }
}

/// A body that panics when read.
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

/// The delivery as an HTTP request whose body has the same chunks.
pub(crate) fn request(delivery: &Delivery) -> Request<Chunks> {
    let mut request = Request::builder()
        .method(delivery.method.as_str())
        .uri(&delivery.target)
        .body(Chunks(delivery.chunks.clone().into()))
        .unwrap();
    for (name, value) in &delivery.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn http_outcome<B>(response: Response<B>, spy: &Spy) -> Outcome
where
    B: http_body::Body<Data = Bytes, Error: Debug>,
{
    let (head, body) = response.into_parts();
    let headers = head.headers.iter().map(|(name, value)| header(name.as_str(), value.as_bytes())).collect();
    let body = block_on(body.collect()).unwrap().to_bytes();
    outcome(head.status.as_u16(), &headers, &body, head.extensions.get::<Rejection>(), spy)
}

fn header(name: &str, value: &[u8]) -> (String, String) {
    (name.to_owned(), String::from_utf8(value.to_vec()).unwrap())
}

/// Builds the outcome. A rejection must have the headers that the core states, so they are the same on every
/// surface.
fn outcome(
    status: u16,
    headers: &BTreeSet<(String, String)>,
    body: &[u8],
    rejection: Option<&Rejection>,
    spy: &Spy,
) -> Outcome {
    let (keys, seen): (Vec<String>, Vec<Bytes>) = spy.lock().unwrap().drain(..).unzip();
    assert_eq!(status, rejection.map_or(200, Rejection::status));
    let Some(rejection) = rejection else { return Outcome { verdict: Ok(keys.concat()), seen } };
    let core = rejection.headers().iter().chain(&[("connection", "close")]);
    // The framework states the length of the body.
    let headers: BTreeSet<_> = headers.iter().filter(|(name, _)| name != "content-length").cloned().collect();
    assert_eq!(headers, core.map(|(name, value)| header(name, value.as_bytes())).collect());
    assert_eq!(body, b"");
    Outcome { verdict: Err(rejection.kind()), seen }
}

/// A body in these chunks that gives no hint of its length or its end.
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

impl Stream for Chunks {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// A body whose chunks are sent while it is read.
pub(crate) struct Slow(mpsc::Receiver<Bytes>);

impl Slow {
    /// The body, which ends once the sender is dropped.
    pub(crate) fn new() -> (mpsc::Sender<Bytes>, Self) {
        let (chunks, body) = mpsc::channel(1);
        (chunks, Self(body))
    }
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

impl Stream for Slow {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(Ok))
    }
}

/// Runs a future to completion. A future that is never woken again fails the test after 60 seconds.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: LazyCell<tokio::runtime::Runtime> = const {
            LazyCell::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
        };
    }
    let in_time = async { tokio::time::timeout(Duration::from_secs(60), future).await };
    RUNTIME.with(|runtime| runtime.block_on(in_time)).unwrap()
}
