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
    http::header::HeaderName,
};
use countersign::{BodyBudget, Linger, Rejection, Verifier};

use crate::{headers, middleware::VerifyWebhookMiddleware};

type Hook = dyn Fn(&Rejection) + Send + Sync;

/// Verifies each request as a delivery before the service that it wraps sees it.
///
/// For `.wrap()` on an `App`, a `Scope` or a `Resource`. See the [crate's documentation](crate) for what passes and
/// where it goes among other middleware.
#[derive(Clone)]
#[must_use = "a middleware guards nothing until a service is wrapped in it"]
pub struct VerifyWebhook {
    pub(crate) verifier: Verifier,
    pub(crate) names: Vec<HeaderName>,
    pub(crate) body_timeout: Option<Duration>,
    pub(crate) body_budget: Option<BodyBudget>,
    pub(crate) linger: Linger,
    on_reject: Option<Arc<Hook>>,
}

impl VerifyWebhook {
    /// Verifies with this verifier. There is no time limit for the body until [`body_timeout`](Self::body_timeout)
    /// sets one.
    pub fn new(verifier: Verifier) -> Self {
        let names = headers::names(&verifier);
        let (body_timeout, body_budget, linger) = (None, None, Linger::default());
        Self { verifier, names, body_timeout, body_budget, linger, on_reject: None }
    }

    /// Answers 408 where the whole body has not arrived this long after the headers.
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = Some(limit);
        self
    }

    /// Answers 503 where the bodies that are being received, of all guards with this budget, leave too little of it.
    pub fn body_budget(mut self, budget: BodyBudget) -> Self {
        self.body_budget = Some(budget);
        self
    }

    /// Bounds what is read and discarded of a refused body after the answer: 32 MiB and 5 seconds unless set.
    ///
    /// When a bound is reached on HTTP/1, actix-web reads on by itself, whatever the number of bytes, for
    /// `HttpServer::client_disconnect_timeout`, which is one second unless set. With [`Linger::OFF`], that timeout is the only
    /// bound. With a timeout of zero, the connection closes at the guard's bound, or with the answer where it is off.
    pub fn linger(mut self, linger: Linger) -> Self {
        self.linger = linger;
        self
    }

    /// Calls this with every rejection, before the response is made: to count them, or to raise an alarm.
    pub fn on_reject(mut self, hook: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.on_reject = Some(Arc::new(hook));
        self
    }

    pub(crate) fn rejected(&self, rejection: &Rejection) {
        if let Some(hook) = &self.on_reject {
            hook(rejection);
        }
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
        ready(Ok(VerifyWebhookMiddleware::new(Rc::new(service), Rc::new(self.clone()))))
    }
}

impl fmt::Debug for VerifyWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhook")
            .field("verifier", &self.verifier)
            .field("body_timeout", &self.body_timeout)
            .field("body_budget", &self.body_budget)
            .field("linger", &self.linger)
            .field("on_reject", &self.on_reject.is_some())
            .finish_non_exhaustive()
    }
}
