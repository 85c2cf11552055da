use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{future::HandleOnceFuture, settings::Settings};
use crate::inner::Inner;

/// The service that [`HandleOnceLayer`](crate::HandleOnceLayer) makes. It calls the inner service with new deliveries only.
///
/// Its clones share the inner service and clone that once for each request. It is `Send` if the inner service is `Send` and
/// `Sync`.
#[derive(Debug)]
pub struct HandleOnce<S> {
    inner: Inner<S>,
    settings: Arc<Settings>,
}

impl<S> HandleOnce<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner: Inner::new(inner), settings }
    }
}

/// A clone is not ready until it is polled itself.
impl<S> Clone for HandleOnce<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S, B, R> Service<Request<B>> for HandleOnce<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send, Error: Send> + Clone + Send + 'static,
    B: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = HandleOnceFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        HandleOnceFuture::new(self.inner.take(), request, Arc::clone(&self.settings))
    }
}
