use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{body::VerifiedBody, future::ResponseFuture, layer::Guard};

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
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready goes along; the clone that stays must be polled anew.
        let stays = self.inner.clone();
        let ready = mem::replace(&mut self.inner, stays);
        ResponseFuture::new(ready, request, Arc::clone(&self.guard))
    }
}
