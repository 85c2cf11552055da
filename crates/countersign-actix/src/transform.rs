use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use countersign::{BodyBudget, Linger, Rejection, VerifierSource};

use crate::{guard::Guard, middleware::VerifyWebhookMiddleware};

/// Verifies each request as a delivery before the wrapped service sees it.
///
/// Pass it to `.wrap()` on an `App`, a `Scope` or a `Resource`. The [crate's documentation](crate) says which requests pass
/// and where the middleware goes among others.
#[derive(Clone)]
#[must_use = "a middleware guards nothing until a service is wrapped in it"]
pub struct VerifyWebhook(Arc<Guard>);

impl VerifyWebhook {
    /// Guards with this [`Verifier`](countersign::Verifier), with a `Rotating<Verifier>` whose keys are replaced while the
    /// guard runs (feature `rotate`), or with the `Tenants` of the crate `countersign-tenants`, which has a key for each
    /// tenant. Until [`body_timeout`](Self::body_timeout) sets one, there is no time limit for the body.
    pub fn new(verifier: impl Into<VerifierSource>) -> Self {
        Self(Arc::new(Guard::new(verifier.into())))
    }

    /// Answers 408 if the body has not arrived this long after the headers.
    pub fn body_timeout(self, limit: Duration) -> Self {
        self.with(|guard| guard.body_timeout = Some(limit))
    }

    /// Answers 503 if the bodies being received by all guards that share this budget leave too little of it.
    pub fn body_budget(self, budget: BodyBudget) -> Self {
        self.with(|guard| guard.body_budget = Some(budget))
    }

    /// Bounds how much of a rejected body is discarded after the answer; 32 MiB and 5 seconds by default.
    ///
    /// On HTTP/1, actix-web reads on by itself once a bound is reached, for as long as
    /// `HttpServer::client_disconnect_timeout` allows, one second by default, whatever the number of bytes. With
    /// [`Linger::OFF`], that timeout is the only bound. If the timeout is zero, the connection closes at the guard's bound,
    /// or with the answer if lingering is off.
    pub fn linger(self, linger: Linger) -> Self {
        self.with(|guard| guard.linger = linger)
    }

    /// Calls this with every rejection, before the response is made: to count rejections, or to raise an alarm.
    pub fn on_reject(self, hook: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.with(|guard| guard.on_reject = Some(Arc::new(hook)))
    }

    fn with(mut self, change: impl FnOnce(&mut Guard)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for VerifyWebhook
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Transform = VerifyWebhookMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(VerifyWebhookMiddleware::new(Rc::new(service), Arc::clone(&self.0))))
    }
}

impl fmt::Debug for VerifyWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
