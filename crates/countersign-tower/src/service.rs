use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{body::VerifiedBody, future::ResponseFuture, guard::Guard, inner::Inner};

/// The service that [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) makes. It calls the inner service with verified
/// deliveries only.
///
/// Its clones share the inner service and clone that once for each request. It is `Send` if the inner service is `Send` and
/// `Sync`, as tower's `BoxCloneSyncService` is and `BoxCloneService` is not.
#[derive(Debug)]
pub struct VerifyWebhook<S> {
    inner: Inner<S>,
    guard: Arc<Guard>,
}

impl<S> VerifyWebhook<S> {
    pub(crate) fn new(inner: S, guard: Arc<Guard>) -> Self {
        Self { inner: Inner::new(inner), guard }
    }
}

/// A clone is not ready until it is polled itself.
impl<S> Clone for VerifyWebhook<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), guard: Arc::clone(&self.guard) }
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
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(self.inner.take(), request, Arc::clone(&self.guard))
    }
}
