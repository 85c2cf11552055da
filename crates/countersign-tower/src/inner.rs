use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower_service::Service;

/// An inner service, polled ready before it is called, and cloned once for each request.
#[derive(Debug)]
pub(crate) struct Inner<S> {
    // Cloned but never called. Servers clone the outer service for each request, which must not clone this one too.
    shared: Arc<S>,
    ready: Option<S>,
}

impl<S> Inner<S> {
    pub(crate) fn new(service: S) -> Self {
        Self { shared: Arc::new(service), ready: None }
    }
}

/// A clone is not ready until it is polled itself.
impl<S> Clone for Inner<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), ready: None }
    }
}

impl<S: Clone> Inner<S> {
    pub(crate) fn poll_ready<Q>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>>
    where
        S: Service<Q>,
    {
        self.ready.get_or_insert_with(|| S::clone(&self.shared)).poll_ready(cx)
    }

    /// The service that was polled ready.
    pub(crate) fn take(&mut self) -> S {
        self.ready.take().unwrap_or_else(|| S::clone(&self.shared))
    }
}
