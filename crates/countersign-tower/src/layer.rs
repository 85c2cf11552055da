use std::{fmt, sync::Arc, time::Duration};

use countersign::{Rejection, Verifier};
use tower_layer::Layer;

use crate::service::VerifyWebhook;

type Hook = dyn Fn(&Rejection) + Send + Sync;

/// Verifies each request as a delivery before the service that it wraps sees it.
///
/// See the [crate's documentation](crate) for what passes and where it goes among other layers.
#[derive(Clone)]
#[must_use = "a layer guards nothing until it is added to a service"]
pub struct VerifyWebhookLayer {
    pub(crate) verifier: Verifier,
    pub(crate) body_timeout: Option<Duration>,
    on_reject: Option<Arc<Hook>>,
}

impl VerifyWebhookLayer {
    /// Verifies with this verifier. There is no time limit for the body until [`body_timeout`](Self::body_timeout)
    /// sets one.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, body_timeout: None, on_reject: None }
    }

    /// Answers 408 where the whole body has not arrived this long after the headers.
    ///
    /// It needs a Tokio runtime whose timers are enabled, as `#[tokio::main]`'s are.
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = Some(limit);
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

impl<S> Layer<S> for VerifyWebhookLayer {
    type Service = VerifyWebhook<S>;

    fn layer(&self, inner: S) -> VerifyWebhook<S> {
        VerifyWebhook::new(inner, self.clone())
    }
}

impl fmt::Debug for VerifyWebhookLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhookLayer")
            .field("verifier", &self.verifier)
            .field("body_timeout", &self.body_timeout)
            .field("on_reject", &self.on_reject.is_some())
            .finish()
    }
}
