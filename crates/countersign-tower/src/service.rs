use std::{
    mem,
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
    layer::VerifyWebhookLayer,
};

/// The service that [`VerifyWebhookLayer`] makes: it calls the inner one with verified deliveries only.
#[derive(Clone, Debug)]
pub struct VerifyWebhook<S> {
    inner: S,
    layer: VerifyWebhookLayer,
}

impl<S> VerifyWebhook<S> {
    pub(crate) fn new(inner: S, layer: VerifyWebhookLayer) -> Self {
        Self { inner, layer }
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
        match self.layer.verifier.begin_buffered(&RequestHead(&head), SystemTime::now()) {
            Ok(verification) => {
                // The service that was polled ready goes along; the clone that stays must be polled anew.
                let ready = self.inner.clone();
                let ready = mem::replace(&mut self.inner, ready);
                ResponseFuture::receiving(ready, head, body, verification, self.layer.clone())
            }
            Err(rejection) => ResponseFuture::rejected(rejection, head.version, &self.layer),
        }
    }
}
