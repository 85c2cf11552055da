//! A key that a verifier holds: when it is active, and how often it was used.

use std::sync::Arc;

use crate::{
    keys::{
        key::{Key, KeyId, Period},
        usage::{Counted, Usage, seconds},
    },
    log,
};

#[derive(Clone)]
pub(crate) struct KeyState {
    pub(crate) id: KeyId,
    pub(crate) period: Period,
    pub(crate) usage: Arc<Usage>,
}

impl KeyState {
    pub(crate) fn of(key: &Key) -> Self {
        Self { id: key.id.clone(), period: key.period, usage: Arc::new(Usage::of(&key.material)) }
    }

    /// Sets the gauges of the last use.
    pub(crate) fn show_last_use(&self, sender: &str) {
        let last = |counted: Counted| counted.last.map_or(0, seconds);
        log::last_use(sender, self.id.as_str(), last(self.usage.matched()), last(self.usage.needed()));
    }
}
