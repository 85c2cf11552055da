use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{body::VerifiedBody, future::ResponseFuture, guard::Guard};

/// The service that [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) makes. It calls the inner service with verified
/// deliveries only.
///
/// Its clones share the inner service and clone that once for each request. It is `Send` if the inner service is `Send` and
/// `Sync`, as tower's `BoxCloneSyncService` is and `BoxCloneService` is not.
#[derive(Debug)]
pub struct VerifyWebhook<S> {
    // Cloned but never called. Servers clone this service for each request, which must not clone the inner one too.
    inner: Arc<S>,
    ready: Option<S>,
    guard: Arc<Guard>,
}

impl<S> VerifyWebhook<S> {
    pub(crate) fn new(inner: S, guard: Arc<Guard>) -> Self {
        Self { inner: Arc::new(inner), ready: None, guard }
    }
}

/// A clone is not ready until it is polled itself.
impl<S> Clone for VerifyWebhook<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), ready: None, guard: Arc::clone(&self.guard) }
    }
}

impl<S, B, R> Service<Request<B>> for VerifyWebhook<S>
where
    S: Service<Request<VerifiedBody>, Response = Response<R>> + Clone,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.ready.get_or_insert_with(|| S::clone(&self.inner)).poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let ready = self.ready.take().unwrap_or_else(|| S::clone(&self.inner));
        ResponseFuture::new(ready, request, Arc::clone(&self.guard))
    }
}
