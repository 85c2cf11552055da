//! A key that a verifier holds: when it is active, and how often it was used.

use std::{sync::Arc, time::SystemTime};

use crate::{
    keys::{
        key::{Activity, Key, KeyId, Period},
        usage::{Counted, Usage, seconds},
    },
    log,
};

/// What changes of a key, and what its verdicts depend on.
#[derive(Clone)]
pub(crate) struct KeyState {
    pub(crate) period: Period,
    pub(crate) usage: Arc<Usage>,
}

/// A key of a sender, by its names.
#[derive(Clone, Copy)]
pub(crate) struct Held<'s> {
    pub(crate) sender: &'s str,
    pub(crate) id: &'s KeyId,
    pub(crate) state: &'s KeyState,
}

impl KeyState {
    pub(crate) fn of(key: &Key) -> Self {
        Self { period: key.period, usage: Arc::new(Usage::of(&key.material)) }
    }
}

impl Held<'_> {
    pub(crate) fn activity(&self, now: SystemTime) -> Activity {
        self.state.period.activity(now)
    }

    /// Counts a delivery that the key signed, perhaps as one of several active keys.
    pub(crate) fn count(&self, now: SystemTime, several: bool) {
        let is_needed = !several && self.activity(now) == Activity::Active;
        if self.state.usage.count(now, is_needed) {
            self.show_last_use();
        }
    }

    pub(crate) fn show_last_use(&self) {
        let last = |counted: Counted| counted.last.map_or(0, seconds);
        let (matched, needed) = (last(self.state.usage.matched()), last(self.state.usage.needed()));
        log::last_use(self.sender, self.id.as_str(), matched, needed);
    }
}
