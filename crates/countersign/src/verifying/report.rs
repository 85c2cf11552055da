//! What the operator is told of a verifier's keys, and how their use goes on over a rotation.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    keys::{
        key::Activity,
        usage::{is_due, seconds},
    },
    log,
    verifying::{
        held::{Held, KeyState},
        sender::Sender,
        verifier::Verifier,
    },
};

/// How often a verification reports the keys.
const REPORTS: Duration = Duration::from_secs(60);

/// How often there is a warning of the same key's expiry.
const WARNINGS: Duration = Duration::from_secs(24 * 60 * 60);

impl Verifier {
    /// Tells the operator how the keys are at this moment: sets their gauges (feature `metrics`), and warns of each that expires soon
    /// (feature `tracing`), once a day for each.
    ///
    /// [`VerifierBuilder::warn_before_expiry`](crate::VerifierBuilder::warn_before_expiry) says what is soon. Guards call this when
    /// they are set up, and a verification of a signed request does if a minute has passed since. Call it from a timer for a sender that may be silent
    /// for days.
    pub fn report_keys(&self, now: SystemTime) {
        for sender in &self.0.senders {
            for key in sender.held() {
                let expires = key.state.period.expires_at().map_or(0, seconds);
                let is_active = key.activity(now) == Activity::Active;
                log::holds_key(key.sender, key.id.as_str(), is_active, expires);
                key.show_last_use();
            }
            sender.warn(now);
        }
    }

    #[inline]
    pub(crate) fn report_keys_now_and_then(&self, now: SystemTime) {
        let is_told = cfg!(any(feature = "metrics", feature = "tracing"));
        if is_told && is_due(&self.0.reported, now, REPORTS) {
            self.report_keys(now);
        }
    }

    /// This verifier in the place of another: the [use](Self::key_use) of each key that both hold goes on, whatever its id.
    ///
    /// [`Rotating::replace`](crate::Rotating::replace) does this for a verifier. Do it yourself if you keep verifiers in a map, or
    /// swap them in another way.
    pub fn replacing(&self, before: &Self) -> Self {
        let replaced = self.map_senders(|sender| sender.replacing(before));
        for gone in before.held().filter(|gone| !replaced.held().any(|key| key.has_the_names_of(gone))) {
            log::holds_key_no_longer(gone.sender, gone.id.as_str());
        }
        replaced
    }
}

impl Sender {
    fn replacing(&self, before: &Verifier) -> Self {
        let keys = self.held().map(|key| {
            let same = before.held().find(|other| other.is_the_key_of(&key));
            let usage = same.map_or(&key.state.usage, |same| &same.state.usage);
            KeyState { period: key.state.period, usage: Arc::clone(usage) }
        });
        Self { keys: keys.collect(), ..self.clone() }
    }

    fn warn(&self, now: SystemTime) {
        // A warning that nobody hears is not the one of the day.
        if !log::is_heard() {
            return;
        }
        for (key, expiring) in self.expiring(now, self.warn_before_expiry) {
            if key.state.usage.may_warn(now, WARNINGS) {
                let (at, leaves_none) = (expiring.expires_at(), expiring.leaves_none());
                log::expires_soon(key.sender, key.id.as_str(), at, leaves_none);
            }
        }
    }
}

impl Held<'_> {
    fn is_the_key_of(&self, other: &Self) -> bool {
        self.sender == other.sender && self.state.usage.is_of_the_same_key(&other.state.usage)
    }

    fn has_the_names_of(&self, other: &Self) -> bool {
        self.sender == other.sender && self.id == other.id
    }
}
