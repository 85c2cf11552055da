use std::{fmt, sync::Arc, time::Duration};

use countersign::{BodyBudget, Linger, Rejection, VerifierSource};
use tower_layer::Layer;

use crate::{guard::Guard, service::VerifyWebhook};

/// Verifies each request as a delivery before the inner service sees it.
///
/// The [crate's documentation](crate) says which requests pass and where the layer goes among others.
#[derive(Clone)]
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct VerifyWebhookLayer(Arc<Guard>);

impl VerifyWebhookLayer {
    /// Guards with this [`Verifier`](countersign::Verifier), with a `Rotating<Verifier>` whose keys are replaced while the
    /// guard runs (feature `rotate`), or with the `Tenants` of the crate `countersign-tenants`, which has a key for each
    /// tenant. Until [`body_timeout`](Self::body_timeout) sets one, there is no time limit for the body.
    pub fn new(verifier: impl Into<VerifierSource>) -> Self {
        Self(Arc::new(Guard::new(verifier.into())))
    }

    /// Answers 408 if the body has not arrived this long after the headers.
    ///
    /// It needs a Tokio runtime with timers enabled, as `#[tokio::main]` has.
    pub fn body_timeout(self, limit: Duration) -> Self {
        self.with(|guard| guard.body_timeout = Some(limit))
    }

    /// Answers 503 if the bodies being received by all guards that share this budget leave too little of it.
    pub fn body_budget(self, budget: BodyBudget) -> Self {
        self.with(|guard| guard.body_budget = Some(budget))
    }

    /// Bounds how much of a rejected body is discarded after the answer; 32 MiB and 5 seconds by default.
    ///
    /// With [`Linger::OFF`], the connection closes with the answer, and a sender that is still writing may see a reset
    /// instead.
    ///
    /// A task on the Tokio runtime, with timers enabled, reads the rest of the body; outside a runtime, the body is dropped
    /// with the answer. No concurrency limit counts these tasks, but the server's limits do: HTTP/1 has at most one for each
    /// connection, HTTP/2 one for each stream. A graceful shutdown waits for them.
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
