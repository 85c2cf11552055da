use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Instant, SystemTime},
};

use actix_web::{
    HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse},
    http::{StatusCode, Version},
};
use countersign::{Linger, Receiving, Rejection, Reservation};
use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::{body::VerifiedPayload, guard::Guard, headers::RequestHead, unread::Unread};

pin_project! {
    #[doc(hidden)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        Receiving {
            service: Rc<S>,
            guard: Arc<Guard>,
            // Taken at the verdict.
            request: Option<ServiceRequest>,
            // As sent: actix-web's extractors would decompress it.
            payload: Payload,
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

impl<S: Service<ServiceRequest>> ResponseFuture<S> {
    pub(crate) fn new(service: Rc<S>, guard: Arc<Guard>, mut request: ServiceRequest) -> Self {
        let receiving =
            Receiving::new(SystemTime::now(), guard.body_timeout, tokio::time::sleep).timed_by(Instant::now);
        let payload = request.take_payload();
        Self { state: State::Receiving { service, guard, request: Some(request), payload, receiving } }
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        if let StateProjection::Receiving { service, guard, request: slot, payload, receiving } =
            state.as_mut().project()
        {
            // Taken already, if the inner service's `call` panicked.
            let Some(request) = slot else { return Poll::Pending };
            let next = |cx: &mut Context<'_>| {
                let next = ready!(Pin::new(&mut *payload).poll_next(cx));
                // Nothing is left to discard.
                if !matches!(next, Some(Ok(_))) {
                    *payload = Payload::None;
                }
                Poll::Ready(next)
            };
            let head = RequestHead { request: request.request(), names: &guard.names };
            let budget = guard.body_budget.as_ref();
            // What has begun ends with the keys that it began with.
            let verdict = ready!(receiving.poll(cx, &guard.source, &head, budget, next));
            let Some(mut request) = slot.take() else { return Poll::Pending };
            match verdict {
                Ok((verified, reservation)) => {
                    request.set_payload(VerifiedPayload::payload(verified.body().clone()));
                    request.extensions_mut().insert(verified);
                    let future = service.call(request);
                    state.set(State::Answering { future, reservation });
                }
                Err(rejection) => {
                    guard.rejected(&rejection);
                    let response = response(rejection, request.version(), payload.take(), guard.linger);
                    state.set(State::Rejected);
                    return Poll::Ready(Ok(request.into_response(response).map_into_right_body()));
                }
            }
        }
        match state.project() {
            StateProjection::Answering { future, .. } => {
                future.poll(cx).map_ok(ServiceResponse::map_into_left_body)
            }
            StateProjection::Receiving { .. } | StateProjection::Rejected => Poll::Pending,
        }
    }
}

fn response(rejection: Rejection, version: Version, payload: Payload, linger: Linger) -> HttpResponse {
    // Every kind has a valid status; an invalid one would still have to reject.
    let status = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = HttpResponse::build(status);
    for header in rejection.headers() {
        response.insert_header(*header);
    }
    if version <= Version::HTTP_11 {
        // Says at once that the body is empty, although its end comes later.
        response.force_close().no_chunking(0);
    }
    let ended = matches!(payload, Payload::None);
    let unread = Unread::new(payload);
    let body = if ended || linger.is_off() { BoxBody::new(()) } else { unread.discarded_by(linger) };
    response.extensions_mut().insert(rejection);
    response.extensions_mut().insert(unread);
    response.body(body)
}

impl<S: Service<ServiceRequest>> fmt::Debug for ResponseFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Receiving { .. } => "ResponseFuture(receiving)",
            State::Answering { .. } => "ResponseFuture(answering)",
            State::Rejected => "ResponseFuture(rejected)",
        })
    }
}
