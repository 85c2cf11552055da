//! The settings of an inbox.

use std::{fmt, sync::Arc, time::Duration};

use countersign::VerifiedDelivery;

/// Gives a delivery its order key.
pub(crate) type OrderBy = Arc<dyn Fn(&VerifiedDelivery) -> Option<Vec<u8>> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) backlog_limit: u32,
    pub(crate) store_timeout: Duration,
    pub(crate) keep_for: Duration,
    pub(crate) keep_headers: Vec<String>,
    pub(crate) instance: String,
    pub(crate) order_by: Option<OrderBy>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("backlog_limit", &self.backlog_limit)
            .field("store_timeout", &self.store_timeout)
            .field("keep_for", &self.keep_for)
            .field("keep_headers", &self.keep_headers)
            .field("instance", &self.instance)
            .field("order_by", &self.order_by.is_some())
            .finish()
    }
}
