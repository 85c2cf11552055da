//! An upper bound on the memory that one request allocates, counted by the allocator.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::SystemTime,
};

use actix_http::BoxedPayloadStream;
use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::{Payload, Service},
    error::PayloadError,
    test::TestRequest,
    web,
};
use bytes::Bytes;
use countersign::{Secret, Signer, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use dhat::HeapStats;
use futures_core::Stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// The largest body limit whose buffers are not kept for later bodies: a kept buffer would escape the count.
const LIMIT: usize = (1 << 18) - 1;

const LARGE_LIMIT: usize = 1 << 20;

/// Polls that exceed what discarding a body in chunks of 100 bytes takes.
const TURNS: usize = 100;

/// The framework's own share, in bytes.
const SLACK: usize = 8192;

/// A body of `length` bytes: one chunk of `first` bytes, then chunks of `size`. Each chunk owns its memory, as
/// a server's chunks do.
struct Chunks {
    first: usize,
    size: usize,
    length: usize,
    left: usize,
}

static BYTES: [u8; LARGE_LIMIT] = [b'x'; LARGE_LIMIT];

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = if self.left == self.length { self.first } else { self.size };
        let size = next.min(self.left);
        self.left = self.left.saturating_sub(size);
        let chunk = BYTES.get(..size).filter(|chunk| !chunk.is_empty());
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))))
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let frame = http_body::Body::poll_frame(self, cx);
        frame.map(|frame| frame.map(|frame| Ok(frame.unwrap().into_data().unwrap())))
    }
}

/// The request's peak of allocated bytes, and its number of allocations.
fn cost_of(headers: &[(String, String)], limit: usize, first: usize, size: usize) -> (usize, u64) {
    let secret = Secret::new("secret").dangerously_accept_placeholder();
    let verifier =
        Verifier::builder(senders::moduslink()).secret("k", secret).body_limit(limit).build().unwrap();
    let handler = service_fn(|request: Request<VerifiedBody>| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), limit);
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let guarded = VerifyWebhookLayer::new(verifier).layer(handler);
    let mut request = Request::new(Chunks { first, size, length: limit, left: limit });
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();

    let profiler = dhat::Profiler::builder().testing().build();
    runtime.block_on(async {
        guarded.oneshot(request).await.unwrap();
        // What is refused is discarded by a task of its own, in turns.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    });
    let stats = HeapStats::get();
    drop(profiler);
    (stats.max_bytes, stats.total_blocks)
}

/// [`cost_of`] for actix-web.
fn cost_of_in_actix(headers: &[(String, String)], limit: usize, first: usize, size: usize) -> (usize, u64) {
    let verifier = Verifier::builder(senders::moduslink())
        .secret("k", Secret::new("secret").dangerously_accept_placeholder())
        .body_limit(limit)
        .build()
        .unwrap();
    // actix-web's own extractors copy, so read the chunks directly.
    let handler = web::post().to(move |payload: web::Payload| async move {
        let mut payload = payload.into_inner();
        let mut length = 0;
        while let Some(chunk) = poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await {
            length = chunk.unwrap().len().saturating_add(length);
        }
        assert_eq!(length, limit);
        HttpResponse::Ok().finish()
    });
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
        let app = App::new().wrap(VerifyWebhook::new(verifier)).service(web::resource("/").route(handler));
        let app = actix_web::test::init_service(app).await;
        let request = headers.iter().fold(TestRequest::post().uri("/"), |request, (name, value)| {
            request.append_header((name.as_str(), value.as_str()))
        });
        let payload: BoxedPayloadStream = Box::pin(Chunks { first, size, length: limit, left: limit });
        let request = request.to_request().replace_payload(Payload::Stream { payload }).0;

        let profiler = dhat::Profiler::builder().testing().build();
        // actix's own way to read a response allocates.
        let mut body = pin!(app.call(request).await.unwrap().into_body());
        while poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_some() {}
        let stats = HeapStats::get();
        drop(profiler);
        (stats.max_bytes, stats.total_blocks)
    })
}

#[test]
fn no_request_allocates_more_than_twice_the_limit_and_a_few_kilobytes() {
    let signer = Signer::new(senders::moduslink(), [Secret::new("secret")]).unwrap();
    let signed_headers = |limit| signer.headers(BYTES.get(..limit).unwrap(), SystemTime::now()).unwrap();
    let signed = signed_headers(LIMIT);

    for cost_of in [cost_of, cost_of_in_actix] {
        for (first, size) in [(1, 1), (2, 2), (100, 100), (16 * 1024, 16 * 1024), (LIMIT - 1, 1), (1, LIMIT)]
        {
            let (bytes, blocks) = cost_of(&signed, LIMIT, first, size);
            assert!(
                (LIMIT..=2 * LIMIT + SLACK).contains(&bytes),
                "{first}, then chunks of {size}: {bytes} bytes"
            );
            // One allocation for each chunk, and a few for the buffer.
            let chunks = (LIMIT / size) as u64;
            assert!(blocks <= chunks + 60, "{first}, then chunks of {size}: {blocks} allocations");
        }
        let signed_large = signed_headers(LARGE_LIMIT);
        for (first, size) in [(LARGE_LIMIT - 1, 1), (1, LARGE_LIMIT), (16 * 1024, 16 * 1024)] {
            let (bytes, _) = cost_of(&signed_large, LARGE_LIMIT, first, size);
            assert!(bytes <= 2 * LARGE_LIMIT + SLACK, "{first}, then chunks of {size}: {bytes} bytes");
        }
        let (bytes, blocks) = cost_of(&signed, LIMIT, LIMIT, LIMIT);
        assert!((LIMIT..=LIMIT + SLACK).contains(&bytes), "one chunk: {bytes} bytes");
        assert!(blocks <= 40, "one chunk: {blocks} allocations");
    }

    // A length that the peer announces must not cause an allocation, and nothing of a rejected body is kept.
    let lying = [signed, vec![("content-length".to_owned(), "1000000000000000".to_owned())]].concat();
    for cost_of in [cost_of, cost_of_in_actix] {
        for (name, headers) in [("a content-length of 10^15", &lying[..]), ("unsigned", &[])] {
            let (bytes, blocks) = cost_of(headers, LIMIT, 100, 100);
            assert!(bytes <= SLACK, "{name}: {bytes} bytes");
            let chunks = (LIMIT / 100) as u64;
            assert!(blocks > chunks, "{name}: it is discarded, with {blocks} allocations");
        }
    }
}
