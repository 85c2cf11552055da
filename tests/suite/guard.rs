//! The tower layer: what reaches the inner service, and what and when the caller sees of a rejection.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use countersign::{Rejection, RejectionKind, Secret, VerifiedDelivery, Verifier, senders};
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use http::{HeaderMap, Request, Response, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use crate::harness::{Chunks, block_on, good, guard, kind_unread, request, verifier};

/// The frames that the inner service sees.
fn frames_seen<B>(request: Request<B>) -> Vec<Frame<Bytes>>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = service_fn(|request: Request<VerifiedBody>| {
        let seen = Arc::clone(&seen);
        async move {
            let mut body = request.into_body();
            loop {
                let hints = (body.size_hint().exact(), body.is_end_stream());
                let frame = body.frame().await.transpose().unwrap();
                let length = frame.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
                assert_eq!(hints, (Some(length as u64), frame.is_none()), "the hints are exact");
                let Some(frame) = frame else { break };
                seen.lock().unwrap().push(frame);
            }
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let response = block_on(guard().layer(handler).oneshot(request)).unwrap();
    assert_eq!(response.status(), 200);
    let mut seen = seen.lock().unwrap();
    std::mem::take(&mut *seen)
}

#[test]
fn a_single_chunk_body_is_passed_on_without_a_copy() {
    let sent = good();
    let frames = frames_seen(request(&sent));
    let seen: Vec<&Bytes> = frames.iter().filter_map(|frame| frame.data_ref()).collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].as_ptr(), sent.chunks[0].as_ptr());
}

#[test]
fn empty_chunks_around_a_single_chunk_cost_no_copy() {
    let mut sent = good();
    sent.chunks.insert(0, Bytes::new());
    sent.chunks.push(Bytes::new());
    let frames = frames_seen(request(&sent));
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].data_ref().unwrap().as_ptr(), sent.chunks[1].as_ptr());
}

#[test]
fn several_chunks_are_passed_on_as_one() {
    let sent = good();
    for size in [1, 2, 7] {
        let frames = frames_seen(request(&sent.in_chunks_of(size)));
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].data_ref().unwrap(), &sent.body());
    }
}

/// Yields these frames in order, and claims from the start to be at its end.
struct Frames(Vec<Result<Frame<Bytes>, &'static str>>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready((!self.0.is_empty()).then(|| self.0.remove(0)))
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(u64::MAX)
    }
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("x-checksum".parse().unwrap(), "abc".parse().unwrap())])
}

#[test]
fn trailers_are_kept_and_the_bodys_hints_are_not_trusted() {
    let sent = good();
    let frames = vec![
        Ok(Frame::data(Bytes::from_static(b"a body "))),
        Ok(Frame::data(Bytes::from_static(b"of some length"))),
        Ok(Frame::trailers(trailers())),
    ];
    let seen = frames_seen(request(&sent).map(|_| Frames(frames)));
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].data_ref().unwrap(), &sent.body());
    assert_eq!(seen[1].trailers_ref().unwrap(), &trailers());
}

/// The response of a guarded service that must not be reached.
fn rejected<B: http_body::Body<Data = Bytes> + Send + Unpin + 'static>(
    layer: &VerifyWebhookLayer,
    request: Request<B>,
) -> Response<Bytes> {
    let unreachable = service_fn(|_: Request<VerifiedBody>| async {
        panic!("the inner service was reached");
        #[expect(unreachable_code, reason = "it gives the service its response type")]
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    block_on(async {
        let response = layer.layer(unreachable).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    })
}

fn kind_of(response: &Response<Bytes>) -> RejectionKind {
    response.extensions().get::<Rejection>().unwrap().kind()
}

#[test]
fn non_data_frames_are_counted_and_only_the_first_trailers_are_kept() {
    let trailers = |count: usize| (0..count).map(|_| Ok(Frame::trailers(trailers())));
    let frames = good().chunks.into_iter().map(Frame::data).map(Ok);
    let seen = frames_seen(request(&good()).map(|_| Frames(frames.chain(trailers(1024)).collect())));
    assert_eq!(seen.len(), 2);
    let response = rejected(&guard(), request(&good()).map(|_| Frames(trailers(1025).collect())));
    assert_eq!(kind_of(&response), RejectionKind::BodyUnreadable);
}

#[test]
fn a_body_that_breaks_off_is_400_and_never_reaches_the_handler() {
    let frames = vec![Ok(Frame::data(Bytes::from_static(b"a body "))), Err("connection reset")];
    let response = rejected(&guard(), request(&good()).map(|_| Frames(frames)));
    assert_eq!(response.status(), 400);
    assert_eq!(kind_of(&response), RejectionKind::BodyUnreadable);
}

#[test]
fn a_rejection_by_the_headers_does_not_read_the_body() {
    let sent = good();
    let mut unsigned = sent.clone();
    unsigned.headers.clear();
    for (delivery, kind) in [
        (unsigned, RejectionKind::SignatureMissing),
        (sent.with_signature("short"), RejectionKind::SignatureLength),
        (sent.with_header("content-length", "1000000000000000"), RejectionKind::BodyTooLarge),
    ] {
        assert_eq!(kind_unread(&verifier(senders::moduslink(), "secret"), &delivery), kind);
    }
}

#[test]
fn every_401_has_the_same_bytes_and_only_the_extensions_give_the_reason() {
    let sent = good();
    let mut unsigned = sent.clone();
    unsigned.headers.clear();
    let expired = countersign::Key::secret("k", Secret::new("secret").dangerously_accept_placeholder())
        .expires_at(std::time::SystemTime::UNIX_EPOCH);
    let expired = |other: bool| {
        let builder = Verifier::builder(senders::moduslink()).key(expired.clone());
        let builder = if other { builder.secret("other", Secret::new("other")) } else { builder };
        VerifyWebhookLayer::new(builder.build().unwrap())
    };
    let mut shown = Vec::new();
    let mut kinds = Vec::new();
    for (layer, delivery) in [
        (guard(), unsigned),
        (guard(), sent.with_header("x-moduslink-hmac-sha256", "again")),
        (guard(), sent.with_signature("")),
        (guard(), sent.with_signature("*".repeat(43))),
        (guard(), sent.with_body("another body")),
        (guard(), sent.with_body("another body").in_chunks_of(3)),
        (expired(false), sent.clone()),
        (expired(true), sent),
    ] {
        let response = rejected(&layer, request(&delivery));
        assert_eq!(response.status(), 401);
        kinds.push(kind_of(&response));
        shown.push((response.headers().clone(), response.into_body()));
    }
    let headers = HeaderMap::from_iter([
        ("www-authenticate".parse().unwrap(), "Webhook-Signature".parse().unwrap()),
        ("connection".parse().unwrap(), "close".parse().unwrap()),
    ]);
    for response in shown {
        assert_eq!(response, (headers.clone(), Bytes::new()));
    }
    assert_eq!(
        kinds,
        [
            RejectionKind::SignatureMissing,
            RejectionKind::SignatureRepeated,
            RejectionKind::SignatureEmpty,
            RejectionKind::SignatureEncoding,
            RejectionKind::SignatureMismatch,
            RejectionKind::SignatureMismatch,
            RejectionKind::NoActiveKey,
            RejectionKind::KeyExpired,
        ]
    );
}

#[test]
fn only_http_1_rejections_say_connection_close() {
    for (version, close) in [(Version::HTTP_10, true), (Version::HTTP_11, true), (Version::HTTP_2, false)] {
        let mut unsigned = Request::new(Chunks::default());
        *unsigned.version_mut() = version;
        let response = rejected(&guard(), unsigned);
        assert_eq!(response.headers().contains_key("connection"), close, "{version:?}");
    }
}

#[test]
fn every_method_is_verified_like_post() {
    for method in ["GET", "PUT", "OPTIONS", "HEAD", "DELETE"] {
        let mut unsigned = Request::new(Chunks::default());
        *unsigned.method_mut() = method.parse().unwrap();
        assert_eq!(rejected(&guard(), unsigned).status(), 401, "{method}");
    }
}

#[test]
fn the_hook_runs_for_every_rejection_and_nothing_else() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let layer = {
        let heard = Arc::clone(&heard);
        guard().on_reject(move |rejection| heard.lock().unwrap().push(rejection.kind()))
    };
    rejected(&layer, request(&good().with_signature("short")));
    rejected(&layer, request(&good().with_body("another")));
    let answer = service_fn(|_: Request<VerifiedBody>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    block_on(layer.layer(answer).oneshot(request(&good()))).unwrap();
    assert_eq!(*heard.lock().unwrap(), [RejectionKind::SignatureLength, RejectionKind::SignatureMismatch]);
}

/// A body that yields one byte and then stays pending forever.
pub(crate) struct Stalled(pub(crate) bool);

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_in_time_is_408() {
    let unreachable =
        service_fn(|_: Request<VerifiedBody>| pending::<Result<Response<Full<Bytes>>, Infallible>>());
    let layer = guard().body_timeout(Duration::from_secs(10));
    let started = tokio::time::Instant::now();
    let request = request(&good()).map(|_| Stalled(false));
    let answer = layer.layer(unreachable).oneshot(request);
    let response = tokio::time::timeout(Duration::from_secs(60), answer).await.unwrap().unwrap();
    assert_eq!(response.status(), 408);
    assert_eq!(response.extensions().get::<Rejection>().unwrap().kind(), RejectionKind::BodyTimeout);
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn the_body_timeout_does_not_apply_to_the_handler() {
    let slow = service_fn(|_: Request<VerifiedBody>| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let layer = guard().body_timeout(Duration::from_secs(10));
    let response = layer.layer(slow).oneshot(request(&good())).await.unwrap();
    assert_eq!(response.status(), 200);
}

/// A body that is always ready and counts its polls.
#[derive(Clone, Default)]
pub(crate) struct Endless(Arc<AtomicUsize>);

impl Endless {
    pub(crate) fn reads(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
    }
}

#[tokio::test]
async fn an_always_ready_body_does_not_starve_other_tasks() {
    let body = Endless::default();
    let unreachable =
        service_fn(|_: Request<VerifiedBody>| pending::<Result<Response<Full<Bytes>>, Infallible>>());
    let response = guard().layer(unreachable).oneshot(request(&good()).map(|_| body.clone()));
    tokio::pin!(response);
    let first_poll = poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx).is_pending())).await;
    assert!(first_poll);
    assert!(body.reads() <= 256);
    // It woke itself, and ends at the body limit.
    assert_eq!(response.await.unwrap().status(), 413);
}

#[test]
fn services_without_extractors_find_the_proof_in_the_request_extensions() {
    let answer = service_fn(|request: Request<VerifiedBody>| async move {
        let verified = request.extensions().get::<VerifiedDelivery>().unwrap();
        assert_eq!((verified.scheme().name(), verified.key().as_str()), ("moduslink", "k"));
        assert_eq!(verified.body(), &good().body());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    block_on(guard().layer(answer).oneshot(request(&good()))).unwrap();
}
