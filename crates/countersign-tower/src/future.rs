use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
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

use crate::{body::VerifiedBody, layer::Guard};

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
            service: S,
            // Until there is a verdict.
            head: Option<Parts>,
            delivery: Delivery,
            #[pin]
            body: B,
        },
        Answering {
            #[pin]
            future: F,
            // The body is still there.
            reservation: Option<Reservation>,
        },
    }
}

/// What is kept while the body arrives.
struct Delivery {
    guard: Arc<Guard>,
    /// Of a body that was not there at once: what is moved from layer to layer stays small.
    verification: Option<Box<BufferedVerification>>,
    trailers: Option<Box<HeaderMap>>,
    deadline: Deadline,
}

type Accepted = (VerifiedDelivery, Option<Reservation>);

impl Delivery {
    /// The verdict, when the body is there or late.
    #[inline]
    fn poll_verdict<B: Body<Data = Bytes>>(
        &mut self,
        head: &Parts,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Accepted, Rejection>> {
        let Self { guard, verification: slot, trailers, deadline } = self;
        // Until it says that there is no more: `is_end_stream` is only a hint.
        let mut receive = |verification: &mut BufferedVerification| {
            let received = verification.poll_receive(cx, |cx| {
                // What is no data counts like a chunk without a byte, of which there may be only so many.
                body.as_mut().poll_frame(cx).map_ok(|frame| {
                    frame.into_data().unwrap_or_else(|other| {
                        *trailers = trailers.take().or(other.into_trailers().ok().map(Box::new));
                        Bytes::new()
                    })
                })
            });
            match received {
                // The body first: one that is complete by now is not late.
                Poll::Pending => deadline.poll(cx).map(|()| Err(verification.body_timeout())),
                received @ Poll::Ready(_) => received,
            }
        };
        if let Some(verification) = slot {
            ready!(receive(verification))?;
            slot.take().map_or(Poll::Pending, |verification| Poll::Ready(accepted(*verification)))
        } else {
            let mut verification = guard.begin(head)?;
            match receive(&mut verification) {
                Poll::Ready(received) => Poll::Ready(received.and_then(|()| accepted(verification))),
                Poll::Pending => {
                    *slot = Some(Box::new(verification));
                    Poll::Pending
                }
            }
        }
    }
}

#[inline]
fn accepted(mut verification: BufferedVerification) -> Result<Accepted, Rejection> {
    let reservation = verification.take_reservation();
    Ok((verification.finish()?, reservation))
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
    pub(crate) fn new(service: S, request: Request<B>, guard: Arc<Guard>) -> Self {
        let deadline = guard.body_timeout.map_or(Deadline::None, Deadline::Unset);
        let (head, body) = request.into_parts();
        let delivery = Delivery { guard, verification: None, trailers: None, deadline };
        Self { state: State::Receiving { service, head: Some(head), delivery, body } }
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
        if let StateProjection::Receiving { service, head: slot, delivery, body } = state.as_mut().project() {
            // There is none once it was answered.
            let Some(head) = slot else { return Poll::Pending };
            let verdict = ready!(delivery.poll_verdict(head, body, cx));
            let Some(mut head) = slot.take() else { return Poll::Pending };
            match verdict {
                Ok((verified, reservation)) => {
                    let body = VerifiedBody::new(verified.body().clone(), delivery.trailers.take());
                    head.extensions.insert(verified);
                    let future = service.call(Request::from_parts(head, body));
                    state.set(State::Answering { future, reservation });
                }
                Err(rejection) => {
                    delivery.guard.rejected(&rejection);
                    return Poll::Ready(Ok(response(rejection, head.version)));
                }
            }
        }
        match state.project() {
            StateProjection::Answering { future, .. } => future.poll(cx),
            StateProjection::Receiving { .. } => Poll::Pending,
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
        })
    }
}
