use std::{fmt, sync::Arc, time::Duration};

use countersign::{BodyBudget, Linger, Rejection, Verifier};
use http::HeaderName;
use tower_layer::Layer;

use crate::{headers, service::VerifyWebhook};

type Hook = dyn Fn(&Rejection) + Send + Sync;

/// Verifies each request as a delivery before the service that it wraps sees it.
///
/// See the [crate's documentation](crate) for what passes and where it goes among other layers.
#[derive(Clone)]
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct VerifyWebhookLayer(Arc<Guard>);

/// What all requests have in common: one pointer for each of them.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) verifier: Verifier,
    pub(crate) names: Vec<HeaderName>,
    pub(crate) body_timeout: Option<Duration>,
    pub(crate) body_budget: Option<BodyBudget>,
    pub(crate) linger: Linger,
    on_reject: Option<Arc<Hook>>,
}

impl Guard {
    pub(crate) fn rejected(&self, rejection: &Rejection) {
        if let Some(hook) = &self.on_reject {
            hook(rejection);
        }
    }
}

impl VerifyWebhookLayer {
    /// Verifies with this verifier. There is no time limit for the body until [`body_timeout`](Self::body_timeout)
    /// sets one.
    pub fn new(verifier: Verifier) -> Self {
        let names = headers::names(&verifier);
        let (body_timeout, body_budget, linger) = (None, None, Linger::default());
        Self(Arc::new(Guard { verifier, names, body_timeout, body_budget, linger, on_reject: None }))
    }

    /// Answers 408 where the whole body has not arrived this long after the headers.
    ///
    /// It needs a Tokio runtime whose timers are enabled, as `#[tokio::main]`'s are.
    pub fn body_timeout(self, limit: Duration) -> Self {
        self.with(|guard| guard.body_timeout = Some(limit))
    }

    /// Answers 503 where the bodies that are being received, of all guards with this budget, leave too little of it.
    pub fn body_budget(self, budget: BodyBudget) -> Self {
        self.with(|guard| guard.body_budget = Some(budget))
    }

    /// Bounds what is read and discarded of a refused body after the answer: 32 MiB and 5 seconds unless set.
    ///
    /// With [`Linger::OFF`] the connection closes with the answer, and a sender that is still writing may see a reset instead.
    ///
    /// A task on the Tokio runtime reads the body and needs the runtime's timers enabled, as `#[tokio::main]`'s are. Outside a
    /// runtime, the body is dropped with the answer. No concurrency limit counts these tasks, but the server's own limits do bound
    /// them: HTTP/1 has at most one for each connection, HTTP/2 one for each stream. A graceful shutdown waits for them.
    pub fn linger(self, linger: Linger) -> Self {
        self.with(|guard| guard.linger = linger)
    }

    /// Calls this with every rejection, before the response is made: to count them, or to raise an alarm.
    pub fn on_reject(self, hook: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.with(|guard| guard.on_reject = Some(Arc::new(hook)))
    }

    fn with(mut self, change: impl FnOnce(&mut Guard)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl<S> Layer<S> for VerifyWebhookLayer {
    type Service = VerifyWebhook<S>;

    fn layer(&self, inner: S) -> VerifyWebhook<S> {
        VerifyWebhook::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for VerifyWebhookLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhookLayer")
            .field("verifier", &self.verifier)
            .field("body_timeout", &self.body_timeout)
            .field("body_budget", &self.body_budget)
            .field("linger", &self.linger)
            .field("on_reject", &self.on_reject.is_some())
            .finish_non_exhaustive()
    }
}
