use std::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::SystemTime,
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
use bytes::Bytes;
use countersign::{BufferedVerification, Rejection, Reservation, Verified};
use futures_core::Stream;

use crate::{
    body::{RejectionBody, VerifiedPayload},
    headers::RequestHead,
    transform::VerifyWebhook,
};

/// The chunks that are taken before other tasks of the worker get their turn: a body may be always ready.
const CHUNKS_PER_TURN: usize = 256;

/// The bytes that are hashed in one turn, about.
const HASHED_PER_TURN: usize = 128 * 1024;

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
                Ok((verified, body, _reservation)) => {
                    request.extensions_mut().insert(verified);
                    request.set_payload(VerifiedPayload::payload(body));
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
) -> Result<(Verified, Bytes, Option<Reservation>), Rejection> {
    let head = RequestHead { request, names: &guard.names };
    let now = if guard.verifier.depends_on_time() { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
    let mut verification = guard.verifier.begin_buffered(&head, now)?;
    if let Some(budget) = &guard.body_budget {
        verification.reserve(budget)?;
    }
    let received = {
        let mut receiving = pin!(receive(payload, &mut verification));
        match (soon(receiving.as_mut()).await, guard.body_timeout) {
            (Poll::Ready(end), _) => Ok(end),
            (Poll::Pending, Some(limit)) => tokio::time::timeout(limit, receiving).await,
            (Poll::Pending, None) => Ok(receiving.await),
        }
    };
    match received {
        Ok(End::Complete) => {
            let (verified, body) = verification.conclude()?;
            Ok((verified, body, verification.take_reservation()))
        }
        Ok(End::Broken) => Err(verification.body_unreadable()),
        Ok(End::Rejected(rejection)) => Err(rejection),
        Err(_elapsed) => Err(verification.body_timeout()),
    }
}

/// Polls a future now and in the task's next turn. actix reads a head first and has a small body next, and a timer is dear
/// beside that.
async fn soon<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let mut waited = false;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Pending if !mem::replace(&mut waited, true) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        polled => Poll::Ready(polled),
    })
    .await
}

/// How the receiving of a body ended.
enum End {
    Complete,
    Broken,
    Rejected(Rejection),
}

async fn receive(payload: &mut Payload, verification: &mut BufferedVerification) -> End {
    loop {
        let mut hashed = 0_usize;
        for _ in 0..CHUNKS_PER_TURN {
            match poll_fn(|cx| Pin::new(&mut *payload).poll_next(cx)).await {
                None => return End::Complete,
                Some(Err(_)) => return End::Broken,
                Some(Ok(chunk)) => {
                    hashed = hashed.saturating_add(chunk.len());
                    if let Err(rejection) = verification.accept(chunk) {
                        return End::Rejected(rejection);
                    }
                    while verification.hash_some() {
                        tokio::task::yield_now().await;
                    }
                    if hashed >= HASHED_PER_TURN {
                        break;
                    }
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

fn response(rejection: Rejection, version: Version, unread: Payload) -> HttpResponse {
    // Every kind's status is a valid one; another would still have to reject.
    let status = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response =
        HttpResponse::with_body(status, RejectionBody::new(&rejection, unread)).map_into_boxed_body();
    for (name, value) in rejection.headers() {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if version <= Version::HTTP_11 {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response.extensions_mut().insert(rejection);
    response
}
