use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
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

use crate::{body::VerifiedPayload, headers::RequestHead, transform::VerifyWebhook, unread::Unread};

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
            guard: Rc<VerifyWebhook>,
            // Until there is a verdict.
            request: Option<ServiceRequest>,
            // As it is on the wire: actix's extractors would decompress it.
            payload: Payload,
            receiving: Receiving<Sleep>,
        },
        Answering {
            #[pin]
            future: F,
            // The body is still there.
            reservation: Option<Reservation>,
        },
        // Nothing is held any more: whoever awaited the future by reference may keep it.
        Rejected,
    }
}

impl<S: Service<ServiceRequest>> ResponseFuture<S> {
    pub(crate) fn new(service: Rc<S>, guard: Rc<VerifyWebhook>, mut request: ServiceRequest) -> Self {
        let receiving = Receiving::new(guard.body_timeout, tokio::time::sleep);
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
            // There is none after a panic in the inner service's `call`.
            let Some(request) = slot else { return Poll::Pending };
            let next = |cx: &mut Context<'_>| {
                let next = ready!(Pin::new(&mut *payload).poll_next(cx));
                // Nothing of it is left to discard.
                if !matches!(next, Some(Ok(_))) {
                    *payload = Payload::None;
                }
                Poll::Ready(next)
            };
            let head = RequestHead { request, names: &guard.names };
            let verdict =
                ready!(receiving.poll(cx, &guard.verifier, &head, guard.body_budget.as_ref(), next));
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
    // Every kind's status is a valid one; another would still have to reject.
    let status = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = HttpResponse::build(status);
    for header in rejection.headers() {
        response.insert_header(*header);
    }
    if version <= Version::HTTP_11 {
        // The client need not wait for the body's end to know that it is empty.
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
