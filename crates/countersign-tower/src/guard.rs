//! The settings that all requests share.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use countersign::{BodyBudget, Linger, Rejection, VerifierSource};
use http::HeaderName;

type Hook = dyn Fn(&Rejection) + Send + Sync;

#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) source: VerifierSource,
    /// The headers that every verification reads, parsed once. Those of a verifier that comes later, or is chosen for each
    /// request, are parsed as they are read.
    pub(crate) names: Vec<HeaderName>,
    pub(crate) body_timeout: Option<Duration>,
    pub(crate) body_budget: Option<BodyBudget>,
    pub(crate) linger: Linger,
    pub(crate) on_reject: Option<Arc<Hook>>,
}

impl Guard {
    pub(crate) fn new(source: VerifierSource) -> Self {
        source.report_keys(SystemTime::now());
        let names = source.header_names().iter().filter_map(|name| name.parse().ok()).collect();
        Self {
            source,
            names,
            body_timeout: None,
            body_budget: None,
            linger: Linger::default(),
            on_reject: None,
        }
    }

    pub(crate) fn rejected(&self, rejection: &Rejection) {
        if let Some(hook) = &self.on_reject {
            hook(rejection);
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhookLayer")
            .field("verifier", &self.source)
            .field("body_timeout", &self.body_timeout)
            .field("body_budget", &self.body_budget)
            .field("linger", &self.linger)
            .field("on_reject", &self.on_reject.is_some())
            .finish_non_exhaustive()
    }
}
