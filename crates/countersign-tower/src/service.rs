use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use bytes::Bytes;
use countersign::{BufferedVerification, Rejection};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{body::VerifiedBody, future::ResponseFuture, headers::RequestHead, layer::Guard};

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

impl Guard {
    /// All that comes before the body.
    #[inline]
    fn begin<B>(&self, request: &Request<B>) -> Result<BufferedVerification, Rejection> {
        let verifier = &self.verifier;
        let now = if verifier.depends_on_time() { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
        let mut begun = verifier.begin_buffered(&RequestHead { request, names: &self.names }, now);
        if let (Ok(verification), Some(budget)) = (&mut begun, &self.body_budget) {
            verification.reserve(budget)?;
        }
        begun
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
        // The service that was polled ready goes along; the clone that stays must be polled anew. Before the check, since
        // what that gives is dear to move past a call.
        let stays = self.inner.clone();
        let ready = mem::replace(&mut self.inner, stays);
        match self.guard.begin(&request) {
            Ok(verification) => ResponseFuture::receiving(ready, request, verification, &self.guard),
            Err(rejection) => ResponseFuture::rejected(rejection, request.version(), &self.guard.on_reject),
        }
    }
}
