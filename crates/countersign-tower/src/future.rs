use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use countersign::{BufferedVerification, Rejection, Reservation};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use crate::{
    body::{ResponseBody, VerifiedBody},
    layer::Guard,
};

pin_project! {
    /// The response: the inner service's to a verified delivery, or a rejection's.
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
            delivery: Delivery<S>,
            #[pin]
            body: B,
            deadline: Deadline,
        },
        Answering {
            #[pin]
            future: F,
            // The body is still there.
            reservation: Option<Reservation>,
        },
        Rejected { rejection: Option<Rejection>, version: Version },
    }
}

/// When the body has to be there. A timer is dear beside a small body, so there is none until one is needed.
enum Deadline {
    /// The body has not kept us waiting.
    Unset,
    /// It has, for what is left of the task's turn: a server reads the head first and has the body next.
    Deferred,
    /// Apart: futures are moved from layer to layer.
    Set(Pin<Box<Sleep>>),
}

impl Deadline {
    /// Ready when the body is late. To be polled whenever there is nothing of it.
    fn poll(&mut self, limit: Option<Duration>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = limit else { return Poll::Pending };
        match self {
            Self::Set(timer) => timer.as_mut().poll(cx),
            Self::Unset => {
                cx.waker().wake_by_ref();
                *self = Self::Deferred;
                Poll::Pending
            }
            Self::Deferred => {
                *self = Self::Set(Box::pin(tokio::time::sleep(limit)));
                self.poll(Some(limit), cx)
            }
        }
    }
}

/// What is kept while the body arrives.
struct Delivery<S> {
    service: S,
    /// Until the inner service is called with it.
    head: Option<Parts>,
    verification: BufferedVerification,
    trailers: Option<Box<HeaderMap>>,
    guard: Arc<Guard>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>>,
{
    pub(crate) fn receiving(
        service: S,
        head: Parts,
        body: B,
        verification: BufferedVerification,
        guard: Arc<Guard>,
    ) -> Self {
        let delivery = Delivery { service, head: Some(head), verification, trailers: None, guard };
        Self { state: State::Receiving { delivery, body, deadline: Deadline::Unset } }
    }

    pub(crate) fn rejected(rejection: Rejection, version: Version, guard: &Guard) -> Self {
        Self { state: State::rejected(rejection, version, guard) }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>, Response = Response<R>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Receiving { delivery, body, deadline } => {
                    // The body first: one that is complete by now is not late.
                    let received = match delivery.receive(body, cx) {
                        Poll::Ready(received) => received,
                        Poll::Pending => {
                            ready!(deadline.poll(delivery.guard.body_timeout, cx));
                            Err(delivery.verification.body_timeout())
                        }
                    };
                    match delivery.settle(received) {
                        Some(next) => next,
                        None => return Poll::Pending,
                    }
                }
                StateProjection::Answering { future, .. } => {
                    return future.poll(cx).map_ok(|response| response.map(ResponseBody::answered));
                }
                StateProjection::Rejected { rejection, version } => {
                    return match rejection.take() {
                        Some(rejection) => Poll::Ready(Ok(response(rejection, *version))),
                        None => Poll::Pending,
                    };
                }
            };
            state.set(next);
        }
    }
}

impl<S> Delivery<S> {
    /// Takes frames until the body says that there are no more: `is_end_stream` is only a hint.
    fn receive<B: Body<Data = Bytes>>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Rejection>> {
        let Self { verification, trailers, .. } = self;
        verification.poll_receive(cx, |cx| {
            // What is no data counts like a chunk without a byte, of which there may be only so many.
            body.as_mut().poll_frame(cx).map_ok(|frame| {
                frame.into_data().unwrap_or_else(|other| {
                    *trailers = trailers.take().or(other.into_trailers().ok().map(Box::new));
                    Bytes::new()
                })
            })
        })
    }

    /// What comes after the body; nothing for a future that is polled after its end.
    fn settle<B, F>(&mut self, received: Result<(), Rejection>) -> Option<State<S, B, F>>
    where
        S: Service<Request<VerifiedBody>, Future = F>,
    {
        let verdict = received.and_then(|()| self.verification.conclude());
        let mut head = self.head.take()?;
        Some(match verdict {
            Ok((verified, body)) => {
                head.extensions.insert(verified);
                let request = Request::from_parts(head, VerifiedBody::new(body, self.trailers.take()));
                let reservation = self.verification.take_reservation();
                State::Answering { future: self.service.call(request), reservation }
            }
            Err(rejection) => State::rejected(rejection, head.version, &self.guard),
        })
    }
}

impl<S, B, F> State<S, B, F> {
    fn rejected(rejection: Rejection, version: Version, guard: &Guard) -> Self {
        guard.rejected(&rejection);
        Self::Rejected { rejection: Some(rejection), version }
    }
}

fn response<B>(rejection: Rejection, version: Version) -> Response<ResponseBody<B>> {
    let mut response = Response::new(ResponseBody::rejected(rejection.body()));
    // Every kind's status is a valid one; another would still have to reject.
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
            State::Rejected { .. } => "ResponseFuture(rejected)",
        })
    }
}
