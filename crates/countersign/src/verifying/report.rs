//! What the operator is told of a verifier's keys, and how their use goes on over a rotation.

use std::{
    ptr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use crate::{
    keys::{
        ring::MOST_KEYS,
        usage::{is_due, seconds},
    },
    log,
    verifying::{key_state::KeyState, sender::Sender, verifier::Verifier},
};

/// How often deliveries report the keys of their sender.
const REPORTS: Duration = Duration::from_secs(60);

/// How often there is a warning of the same key's expiry.
const WARNINGS: Duration = Duration::from_secs(24 * 60 * 60);

impl Verifier {
    /// Tells the operator how the keys are at this moment: sets their gauges (feature `metrics`), and warns of each that expires soon
    /// (feature `tracing`), once a day for each.
    ///
    /// [`VerifierBuilder::warn_before_expiry`](crate::VerifierBuilder::warn_before_expiry) says what is soon. Guards call this when
    /// they are set up. So does a delivery that a key signed, or for which no key is active, for the keys of its sender, if a minute
    /// has passed. Call it from a timer for a sender that may be silent for days.
    pub fn report_keys(&self, now: SystemTime) {
        for sender in &self.0.senders {
            sender.reported.store(seconds(now).max(1), Ordering::Relaxed);
            sender.report(now);
        }
    }

    /// This verifier in the place of another: the [use](Self::key_use) of each key that both hold goes on, whatever its id.
    ///
    /// [`Rotating::replace`](crate::Rotating::replace) does this for a verifier. Do it yourself if you keep verifiers in a map, or
    /// swap them in another way.
    pub fn replacing(&self, before: &Self) -> Self {
        let replaced = self.map_senders(|sender| sender.replacing(before));
        for (sender, gone) in before.keys() {
            if !replaced.keys().any(|(name, key)| name == sender && key.id == gone.id) {
                log::holds_key_no_longer(sender, gone.id.as_str());
            }
        }
        replaced
    }

    /// Each key with the name of its sender.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &KeyState)> {
        self.0.senders.iter().flat_map(|sender| sender.keys.iter().map(|key| (sender.scheme().name(), key)))
    }
}

impl Sender {
    /// Counts a delivery that these of the keys signed. `needed` is the only active one among them.
    #[inline]
    pub(crate) fn used(&self, made_by_key: [bool; MOST_KEYS], needed: Option<&KeyState>, now: SystemTime) {
        let second = seconds(now);
        for (key, _) in self.keys.iter().zip(made_by_key).filter(|(_, made)| *made) {
            if key.usage.count(second, needed.is_some_and(|needed| ptr::eq(needed, key))) {
                key.show_last_use(self.scheme().name());
            }
        }
        self.report_now_and_then(now, second);
    }

    #[inline]
    pub(crate) fn report_now_and_then(&self, now: SystemTime, second: u64) {
        let is_told = cfg!(any(feature = "metrics", feature = "tracing"));
        if is_told && is_due(&self.reported, second, REPORTS) {
            self.report(now);
        }
    }

    fn report(&self, now: SystemTime) {
        let sender = self.scheme().name();
        for key in &self.keys {
            let expires = key.period.expires_at().map_or(0, seconds);
            log::holds_key(sender, key.id.as_str(), key.period.is_active(now), expires);
            key.show_last_use(sender);
        }
        for (key, expiring) in self.expiring(now, self.warn_before_expiry) {
            if key.usage.may_warn(seconds(now), WARNINGS) {
                log::expires_soon(sender, key.id.as_str(), expiring.expires_at(), expiring.leaves_none());
            }
        }
    }

    fn replacing(&self, before: &Verifier) -> Self {
        let keys = self.keys.iter().map(|key| {
            let is_same = |name: &str, other: &KeyState| {
                name == self.scheme().name() && key.usage.is_of_the_same_key(&other.usage)
            };
            let same = before.keys().find(|(name, other)| is_same(name, other));
            let usage = same.map_or(&key.usage, |(_, same)| &same.usage);
            KeyState { usage: Arc::clone(usage), ..key.clone() }
        });
        self.with(Arc::clone(&self.profile), keys.collect())
    }
}

#[cfg(all(test, any(feature = "metrics", feature = "tracing")))]
mod tests {
    use super::*;
    use crate::{keys::secret::Secret, schemes::senders};

    #[test]
    fn a_report_is_noted_so_that_the_next_waits_its_turn() {
        let verifier =
            Verifier::builder(senders::github()).secret("k", Secret::new("correct-horse")).build().unwrap();
        let sender = verifier.0.senders.first().unwrap();
        let at = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        for (second, reported) in [(100, 100), (159, 100), (160, 160)] {
            sender.report_now_and_then(at(second), second);
            assert_eq!(sender.reported.load(Ordering::Relaxed), reported);
        }
    }
}
