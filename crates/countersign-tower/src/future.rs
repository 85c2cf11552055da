use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use countersign::{BufferedVerification, Rejection, Reservation, VerifiedDelivery};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use crate::{
    body::VerifiedBody,
    layer::{Guard, OnReject},
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

/// What is kept while the body arrives.
struct Delivery<S> {
    service: S,
    /// Until the inner service is called with it.
    head: Option<Parts>,
    /// Until its end.
    verification: Option<BufferedVerification>,
    trailers: Option<Box<HeaderMap>>,
    reservation: Option<Reservation>,
    on_reject: OnReject,
}

impl<S> Delivery<S> {
    /// The verdict, when the body is there or late.
    fn poll_verdict<B: Body<Data = Bytes>>(
        &mut self,
        mut body: Pin<&mut B>,
        deadline: &mut Deadline,
        cx: &mut Context<'_>,
    ) -> Poll<Result<VerifiedDelivery, Rejection>> {
        let Self { verification: slot, trailers, reservation, .. } = self;
        let Some(verification) = slot else { return Poll::Pending };
        // Until it says that there is no more: `is_end_stream` is only a hint.
        let received = verification.poll_receive(cx, |cx| {
            // What is no data counts like a chunk without a byte, of which there may be only so many.
            body.as_mut().poll_frame(cx).map_ok(|frame| {
                frame.into_data().unwrap_or_else(|other| {
                    *trailers = trailers.take().or(other.into_trailers().ok().map(Box::new));
                    Bytes::new()
                })
            })
        });
        // The body first: one that is complete by now is not late.
        Poll::Ready(match received {
            Poll::Pending => {
                ready!(deadline.poll(cx));
                Err(verification.body_timeout())
            }
            Poll::Ready(Err(rejection)) => Err(rejection),
            Poll::Ready(Ok(())) => {
                *reservation = verification.take_reservation();
                match slot.take() {
                    Some(verification) => verification.finish(),
                    None => return Poll::Pending,
                }
            }
        })
    }
}

impl<S, B, F> State<S, B, F> {
    fn rejected(rejection: Rejection, version: Version, on_reject: &OnReject) -> Self {
        on_reject.tell(&rejection);
        Self::Rejected { rejection: Some(rejection), version }
    }
}

/// When the body has to be there. A timer is dear beside a small body, so there is none until one is needed.
enum Deadline {
    /// No limit was set.
    None,
    /// The body has not kept us waiting.
    Unset(Duration),
    /// It has, for what is left of the task's turn: a server reads the head first and has the body next.
    Deferred(Duration),
    /// Apart: futures are moved from layer to layer.
    Set(Pin<Box<Sleep>>),
}

impl Deadline {
    /// Ready when the body is late. To be polled whenever there is nothing of it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match *self {
            Self::None => Poll::Pending,
            Self::Unset(limit) => {
                cx.waker().wake_by_ref();
                *self = Self::Deferred(limit);
                Poll::Pending
            }
            Self::Deferred(limit) => {
                *self = Self::Set(Box::pin(tokio::time::sleep(limit)));
                self.poll(cx)
            }
            Self::Set(ref mut timer) => timer.as_mut().poll(cx),
        }
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>>,
{
    #[inline]
    pub(crate) fn receiving(
        service: S,
        request: Request<B>,
        verification: BufferedVerification,
        guard: &Guard,
    ) -> Self {
        let on_reject = guard.on_reject.clone();
        let deadline = guard.body_timeout.map_or(Deadline::None, Deadline::Unset);
        // In one go: each of these is dear to copy.
        let (head, body) = request.into_parts();
        Self {
            state: State::Receiving {
                delivery: Delivery {
                    service,
                    head: Some(head),
                    verification: Some(verification),
                    trailers: None,
                    reservation: None,
                    on_reject,
                },
                body,
                deadline,
            },
        }
    }

    pub(crate) fn rejected(rejection: Rejection, version: Version, on_reject: &OnReject) -> Self {
        Self { state: State::rejected(rejection, version, on_reject) }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<VerifiedBody>, Response = Response<R>>,
    B: Body<Data = Bytes>,
    R: Default,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Receiving { delivery, body, deadline } => {
                    let verdict = ready!(delivery.poll_verdict(body, deadline, cx));
                    // There is none only after a panic in the inner service's `call`.
                    let Some(mut head) = delivery.head.take() else { return Poll::Pending };
                    let next = match verdict {
                        Ok(verified) => {
                            let body = VerifiedBody::new(verified.body().clone(), delivery.trailers.take());
                            head.extensions.insert(verified);
                            let future = delivery.service.call(Request::from_parts(head, body));
                            State::Answering { future, reservation: delivery.reservation.take() }
                        }
                        Err(rejection) => State::rejected(rejection, head.version, &delivery.on_reject),
                    };
                    state.set(next);
                }
                StateProjection::Answering { future, .. } => return future.poll(cx),
                StateProjection::Rejected { rejection, version } => {
                    return match rejection.take() {
                        Some(rejection) => Poll::Ready(Ok(response(rejection, *version))),
                        None => Poll::Pending,
                    };
                }
            }
        }
    }
}

fn response<R: Default>(rejection: Rejection, version: Version) -> Response<R> {
    let mut response = Response::new(R::default());
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
