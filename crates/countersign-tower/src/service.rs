use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{body::VerifiedBody, future::ResponseFuture, layer::Guard};

/// The service that [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) makes: it calls the inner one with verified deliveries only.
///
/// All its clones share the inner service, of which each request gets a clone: it can be sent to other threads where that is `Send`
/// and `Sync`, as tower's `BoxCloneSyncService` is and `BoxCloneService` is not.
#[derive(Debug)]
pub struct VerifyWebhook<S> {
    // Only cloned, never called: servers clone the outer service for each request, which would be a second clone of this.
    inner: Arc<S>,
    ready: Option<S>,
    guard: Arc<Guard>,
}

impl<S> VerifyWebhook<S> {
    pub(crate) fn new(inner: S, guard: Arc<Guard>) -> Self {
        Self { inner: Arc::new(inner), ready: None, guard }
    }
}

/// The clone has to be polled ready itself.
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
