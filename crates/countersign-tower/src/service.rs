use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{
    body::{ResponseBody, VerifiedBody},
    future::ResponseFuture,
    headers::RequestHead,
    layer::Guard,
};

/// The service that [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) makes: it calls the inner one with verified deliveries only.
#[derive(Clone, Debug)]
pub struct VerifyWebhook<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl<S> VerifyWebhook<S> {
    pub(crate) fn new(inner: S, guard: Arc<Guard>) -> Self {
        Self { inner, guard }
    }
}

impl<S, B, R> Service<Request<B>> for VerifyWebhook<S>
where
    S: Service<Request<VerifiedBody>, Response = Response<R>> + Clone,
    B: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let guard = &self.guard;
        let verifier = &guard.verifier;
        let now = if verifier.depends_on_time() { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
        let begun = verifier.begin_buffered(&RequestHead { parts: &head, names: &guard.names }, now);
        let admitted = begun.and_then(|mut verification| match &guard.body_budget {
            Some(budget) => verification.reserve(budget).map(|()| verification),
            None => Ok(verification),
        });
        match admitted {
            Ok(verification) => {
                // The service that was polled ready goes along; the clone that stays must be polled anew.
                let ready = self.inner.clone();
                let ready = mem::replace(&mut self.inner, ready);
                ResponseFuture::receiving(ready, head, body, verification, Arc::clone(guard))
            }
            Err(rejection) => ResponseFuture::rejected(rejection, head.version, guard),
        }
    }
}
