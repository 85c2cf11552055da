//! Many bodies and large bodies: the shared budget, and yielding to the worker's other requests.

use std::{
    convert::Infallible,
    future::{poll_fn, ready},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use actix_http::BoxedPayloadStream;
use actix_web::{
    App, HttpResponse,
    dev::{Payload, Service},
    error::PayloadError,
    web,
};
use bytes::Bytes;
use countersign::{BodyBudget, Linger, Receiving, RejectionKind, Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use futures_core::Stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::harness::{Delivery, actix_request, block_on, hmac_delivery, request};

const LIMIT: usize = 1 << 20;

fn verifier() -> Verifier {
    Verifier::builder(senders::github())
        .secret("k", Secret::new("secret").dangerously_accept_placeholder())
        .body_limit(LIMIT)
        .build()
        .unwrap()
}

fn sent(body: impl Into<Vec<u8>>) -> Delivery {
    hmac_delivery(senders::github(), "secret", body)
}

async fn polled_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    let mut future = Some(future);
    poll_fn(|cx| Poll::Ready(future.take().unwrap().poll(cx))).await
}

/// Counts the polls that a future takes to complete.
async fn polls<F: Future>(future: F) -> (usize, F::Output) {
    let mut future = pin!(future);
    let mut polls = 0;
    let output = poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx)
    });
    let output = output.await;
    (polls, output)
}

/// A body that never arrives and counts its polls.
#[derive(Clone, Default)]
struct Never(Arc<AtomicUsize>);

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    }
}

impl Stream for Never {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    }
}

async fn answer(_: Request<VerifiedBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::default()))
}

#[test]
fn in_tower_a_body_over_the_budget_is_503_and_not_read() {
    let budget = BodyBudget::new(LIMIT + 10);
    let guard = VerifyWebhookLayer::new(verifier()).body_budget(budget.clone()).linger(Linger::OFF);
    let deliver =
        |sent: &Delivery, body| guard.layer(service_fn(answer)).oneshot(request(sent).map(|_| body));
    block_on(async {
        // It announces no length, so it reserves the body limit.
        let mut first = Box::pin(deliver(&sent(""), Never::default()));
        assert!(polled_once(first.as_mut()).await.is_pending());
        assert_eq!(budget.left(), 10);

        let unread = Never::default();
        let response = deliver(&sent("").with_header("content-length", "11"), unread.clone()).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "5");
        let rejection = response.extensions().get::<countersign::Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::BudgetExhausted);
        assert_eq!(unread.0.load(Ordering::Relaxed), 0);

        let mut small = Box::pin(deliver(&sent("").with_header("content-length", "10"), Never::default()));
        assert!(polled_once(small.as_mut()).await.is_pending());
        assert_eq!(budget.left(), 0);
        drop((first, small));
        assert_eq!(budget.left(), LIMIT + 10);
    });
}

#[test]
fn in_actix_a_body_over_the_budget_is_503_and_not_read() {
    let budget = BodyBudget::new(LIMIT + 10);
    let guard = VerifyWebhook::new(verifier()).body_budget(budget.clone()).linger(Linger::OFF);
    block_on(async {
        let app = App::new().wrap(guard).default_service(web::to(HttpResponse::Ok));
        let app = actix_web::test::init_service(app).await;
        let deliver = |sent: &Delivery, body: Never| {
            let payload: BoxedPayloadStream = Box::pin(body);
            app.call(actix_request(sent).replace_payload(Payload::Stream { payload }).0)
        };
        let mut first = Box::pin(deliver(&sent(""), Never::default()));
        assert!(polled_once(first.as_mut()).await.is_pending());
        assert_eq!(budget.left(), 10);

        let unread = Never::default();
        let response = deliver(&sent("").with_header("content-length", "11"), unread.clone()).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
        assert_eq!(unread.0.load(Ordering::Relaxed), 0);
        drop((first, response));
        assert_eq!(budget.left(), LIMIT + 10);
    });
}

/// A body may outgrow its reservation only as far as the budget has room.
#[test]
fn in_tower_a_reservation_grows_with_the_body_and_lasts_until_the_handler_answers() {
    let budget = BodyBudget::new(10);
    let during = Arc::new(AtomicUsize::new(0));
    let handler = service_fn(async |_: Request<VerifiedBody>| {
        tokio::task::yield_now().await;
        during.store(budget.left(), Ordering::Relaxed);
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let guarded = VerifyWebhookLayer::new(verifier()).body_budget(budget.clone()).layer(handler);
    let status = |announced: &str, body: &str| {
        let sent = sent(body).with_header("content-length", announced);
        block_on(guarded.clone().oneshot(request(&sent.in_chunks_of(3)))).unwrap().status().as_u16()
    };
    assert_eq!(status("7", "a body."), 200);
    assert_eq!(during.load(Ordering::Relaxed), 3);
    // The body is longer than announced, which an HTTP server would not let through.
    assert_eq!(status("1", "a body."), 200);
    assert_eq!(during.load(Ordering::Relaxed), 3);
    assert_eq!(status("1", "a body that is"), 503);
    assert_eq!(budget.left(), 10);
}

#[test]
fn in_actix_a_reservation_lasts_until_the_handler_answers() {
    let budget = BodyBudget::new(10);
    let during = budget.clone();
    let handler = web::post().to(move || {
        let during = during.clone();
        async move {
            tokio::task::yield_now().await;
            during.left().to_string()
        }
    });
    let guard = VerifyWebhook::new(verifier()).body_budget(budget.clone());
    let answer = block_on(async {
        let app = App::new().service(web::resource("/").wrap(guard).route(handler));
        let app = actix_web::test::init_service(app).await;
        let sent = sent("a body.").with_header("content-length", "7");
        actix_web::test::read_body(app.call(actix_request(&sent)).await.unwrap()).await
    });
    assert_eq!((answer, budget.left()), (Bytes::from_static(b"3"), 10));
}

#[test]
fn in_tower_hashing_a_large_chunk_yields_and_does_not_copy_it() {
    let sent = sent(vec![b'x'; LIMIT]);
    let address = sent.chunks[0].as_ptr();
    let seen = Arc::new(AtomicUsize::new(0));
    let handler = service_fn(|request: Request<VerifiedBody>| {
        let seen = Arc::clone(&seen);
        async move {
            let body = http_body_util::BodyExt::collect(request.into_body()).await.unwrap().to_bytes();
            seen.store(body.as_ptr() as usize, Ordering::Relaxed);
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let guarded = VerifyWebhookLayer::new(verifier()).layer(handler);
    let (turns, response) = block_on(polls(guarded.oneshot(request(&sent))));
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(turns, LIMIT / (128 * 1024), "one turn for each 128 KiB");
    assert_eq!(seen.load(Ordering::Relaxed), address as usize);
}

#[test]
fn in_actix_hashing_a_large_chunk_yields() {
    block_on(async {
        let guard = VerifyWebhook::new(verifier());
        let app = App::new().wrap(guard).default_service(web::to(HttpResponse::Ok));
        let app = actix_web::test::init_service(app).await;
        let large = actix_request(&sent(vec![b'x'; LIMIT]));
        let (turns, response) = polls(app.call(large)).await;
        assert_eq!(response.unwrap().status(), 200);
        assert!(turns >= LIMIT / (128 * 1024), "{turns}");
        let small = actix_request(&sent("body"));
        assert_eq!(polls(app.call(small)).await.0, 1);
    });
}

/// With four keys each byte is hashed four times, so a turn covers a quarter of the bytes.
#[test]
fn more_keys_do_not_lengthen_a_turn() {
    let keys = (0..4).map(|id| {
        countersign::Key::secret(
            id.to_string(),
            Secret::new(format!("secret {id}")).dangerously_accept_placeholder(),
        )
    });
    let builder = Verifier::builder(senders::github()).body_limit(LIMIT);
    let verifier = keys.fold(builder, countersign::VerifierBuilder::key).build().unwrap();
    let sent = hmac_delivery(senders::github(), "secret 3", vec![b'x'; LIMIT]);
    let guarded = VerifyWebhookLayer::new(verifier).layer(service_fn(answer));
    for sent in [sent.in_chunks_of(16 * 1024), sent] {
        let (turns, response) = block_on(polls(guarded.clone().oneshot(request(&sent))));
        assert_eq!(response.unwrap().status(), 200);
        assert!((32..=33).contains(&turns), "{turns} turns, not one for each 128 KiB hashed");
    }
}

#[test]
fn polling_after_a_rejection_is_pending_and_holds_no_budget() {
    let sent = sent(vec![b'x'; LIMIT]).with_header("content-length", "1");
    let (source, budget) = (verifier().into(), BodyBudget::new(1));
    let mut receiving = Receiving::new(std::time::SystemTime::UNIX_EPOCH, None, |_| ready(()));
    let mut chunks = sent.chunks.iter().cloned().map(Ok::<_, Infallible>);
    let mut receive = || {
        let mut cx = Context::from_waker(Waker::noop());
        receiving.poll(&mut cx, &source, &sent.headers, Some(&budget), |_| Poll::Ready(chunks.next()))
    };
    let Poll::Ready(Err(rejection)) = receive() else { panic!("the delivery was not rejected") };
    assert_eq!(rejection.kind(), RejectionKind::BudgetExhausted);
    assert!(receive().is_pending());
    assert_eq!(budget.left(), 1);
}
