use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use countersign::{Receiving, Rejection, Reservation};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use crate::{body::VerifiedBody, guard::Guard, headers::RequestHead, unread::Unread};

pin_project! {
    /// The response: the inner service's answer to a verified delivery, or a rejection.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<VerifiedBody>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, F> {
        Receiving {
            service: S,
            guard: Arc<Guard>,
            // Taken at the verdict.
            head: Option<Parts>,
            body: Unread<B>,
            trailers: Option<Box<HeaderMap>>,
            receiving: Receiving<Sleep>,
        },
        Answering {
            #[pin]
            future: F,
            // Held because the body is still in memory.
            reservation: Option<Reservation>,
        },
        // Drop everything now: a caller that polled by reference may keep the completed future.
        Rejected,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>>,
{
    pub(crate) fn new(service: S, request: Request<B>, guard: Arc<Guard>) -> Self {
        let receiving =
            Receiving::new(SystemTime::now(), guard.body_timeout, tokio::time::sleep).timed_by(Instant::now);
        let (head, body) = request.into_parts();
        let body = Unread::new(body);
        Self { state: State::Receiving { service, guard, head: Some(head), body, trailers: None, receiving } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>, Response = Response<R>>,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    R: Default,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        if let StateProjection::Receiving { service, guard, head: slot, body, trailers, receiving } =
            state.as_mut().project()
        {
            // Taken already, if the inner service's `call` panicked.
            let Some(head) = slot else { return Poll::Pending };
            // Until the body ends: `is_end_stream` is only a hint.
            let next = |cx: &mut Context<'_>| {
                // A frame without data counts as an empty chunk, whose number is limited.
                body.poll_frame(cx).map_ok(|frame| {
                    frame.into_data().unwrap_or_else(|other| {
                        *trailers = trailers.take().or(other.into_trailers().ok().map(Box::new));
                        Bytes::new()
                    })
                })
            };
            let head = RequestHead { head, names: &guard.names };
            let budget = guard.body_budget.as_ref();
            // What has begun ends with the keys that it began with.
            let verdict = ready!(receiving.poll(cx, &guard.source, &head, budget, next));
            let Some(mut head) = slot.take() else { return Poll::Pending };
            match verdict {
                Ok((verified, reservation)) => {
                    let body = VerifiedBody::new(verified.body().clone(), trailers.take());
                    head.extensions.insert(verified);
                    let future = service.call(Request::from_parts(head, body));
                    state.set(State::Answering { future, reservation });
                }
                Err(rejection) => {
                    guard.rejected(&rejection);
                    body.discard(cx, &head.headers, guard.linger);
                    state.set(State::Rejected);
                    return Poll::Ready(Ok(response(rejection, head.version)));
                }
            }
        }
        match state.project() {
            StateProjection::Answering { future, .. } => future.poll(cx),
            StateProjection::Receiving { .. } | StateProjection::Rejected => Poll::Pending,
        }
    }
}

fn response<R: Default>(rejection: Rejection, version: Version) -> Response<R> {
    let mut response = Response::new(R::default());
    // Every kind has a valid status; an invalid one would still have to reject.
    *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    for (name, value) in rejection.headers() {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response.extensions_mut().insert(rejection);
    response
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Receiving { .. } => "ResponseFuture(receiving)",
            State::Answering { .. } => "ResponseFuture(answering)",
            State::Rejected => "ResponseFuture(rejected)",
        })
    }
}
