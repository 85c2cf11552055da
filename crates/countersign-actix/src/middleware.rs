use std::{
    future::{Future, pending, poll_fn},
    mem,
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::{Duration, SystemTime},
};

use actix_web::{
    HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, forward_ready},
    http::{
        ConnectionType, StatusCode, Version,
        header::{HeaderName, HeaderValue},
    },
};
use countersign::{Rejection, Reservation, VerifiedDelivery};
use futures_core::Stream;

use crate::{
    body::{Unread, VerifiedPayload},
    headers::RequestHead,
    transform::VerifyWebhook,
};

#[doc(hidden)]
#[derive(Debug)]
pub struct VerifyWebhookMiddleware<S> {
    service: Rc<S>,
    guard: Rc<VerifyWebhook>,
}

impl<S> VerifyWebhookMiddleware<S> {
    pub(crate) fn new(service: Rc<S>, guard: Rc<VerifyWebhook>) -> Self {
        Self { service, guard }
    }
}

impl<S, B> Service<ServiceRequest> for VerifyWebhookMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (service, guard) = (Rc::clone(&self.service), Rc::clone(&self.guard));
        Box::pin(async move {
            let mut payload = request.take_payload();
            match verify(&guard, &request, &mut payload).await {
                // The reservation lasts for as long as the body is there.
                Ok((verified, _reservation)) => {
                    request.set_payload(VerifiedPayload::payload(verified.body().clone()));
                    request.extensions_mut().insert(verified);
                    service.call(request).await.map(ServiceResponse::map_into_left_body)
                }
                Err(rejection) => {
                    guard.rejected(&rejection);
                    let response = response(rejection, request.version(), payload);
                    Ok(request.into_response(response).map_into_right_body())
                }
            }
        })
    }
}

/// Verifies the payload as it is on the wire: actix's extractors would decompress it.
async fn verify(
    guard: &VerifyWebhook,
    request: &ServiceRequest,
    payload: &mut Payload,
) -> Result<(VerifiedDelivery, Option<Reservation>), Rejection> {
    let head = RequestHead { request, names: &guard.names };
    let now = if guard.verifier.depends_on_time() { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
    let mut verification = guard.verifier.begin_buffered(&head, now)?;
    if let Some(budget) = &guard.body_budget {
        verification.reserve(budget)?;
    }
    {
        let mut late = pin!(late(guard.body_timeout));
        // The body first: one that is complete by now is not late.
        poll_fn(|cx| match verification.poll_receive(cx, |cx| Pin::new(&mut *payload).poll_next(cx)) {
            Poll::Pending => late.as_mut().poll(cx).map(|()| Err(verification.body_timeout())),
            received @ Poll::Ready(_) => received,
        })
        .await?;
    }
    let reservation = verification.take_reservation();
    Ok((verification.finish()?, reservation))
}

/// Ends when a body is late. A timer is dear beside a small body, so there is none before the task's next turn: actix reads a
/// head first and has the body next.
async fn late(limit: Option<Duration>) {
    let Some(limit) = limit else { return pending().await };
    let mut is_next = false;
    poll_fn(|cx| {
        if mem::replace(&mut is_next, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    Box::pin(tokio::time::sleep(limit)).await;
}

fn response(rejection: Rejection, version: Version, unread: Payload) -> HttpResponse {
    // Every kind's status is a valid one; another would still have to reject.
    let status = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = HttpResponse::new(status);
    for (name, value) in rejection.headers() {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if version <= Version::HTTP_11 {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response.extensions_mut().insert(rejection);
    response.extensions_mut().insert(Unread::new(unread));
    response
}
