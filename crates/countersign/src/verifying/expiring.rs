//! Keys that expire soon.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    keys::key::KeyId,
    verifying::{key_state::KeyState, sender::Sender, verifier::Verifier},
};

/// A key that has not expired yet, and will.
#[derive(Clone)]
pub struct Expiring {
    sender: Arc<str>,
    key: KeyId,
    expires_at: SystemTime,
    leaves_none: bool,
}

impl Verifier {
    /// The keys that expire after `now`, at most `within` later.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use countersign::{Key, Secret, Verifier, senders};
    ///
    /// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    /// let now = SystemTime::now();
    /// let key = Key::secret("2026-q4", Secret::new("9tWm4KzQ7cXv2LpR")).expires_at(now + 3 * DAY);
    /// let verifier = Verifier::builder(senders::extend()).key(key).build()?;
    ///
    /// assert_eq!(verifier.expiring(now, 2 * DAY).count(), 0);
    /// let expiring = verifier.expiring(now, 7 * DAY).next().unwrap();
    /// assert_eq!(expiring.key().as_str(), "2026-q4");
    /// assert!(expiring.leaves_none());
    /// # Ok::<(), countersign::BuildError>(())
    /// ```
    pub fn expiring(&self, now: SystemTime, within: Duration) -> impl Iterator<Item = Expiring> {
        self.0
            .senders
            .iter()
            .flat_map(move |sender| sender.expiring(now, within).map(|(_, expiring)| expiring))
    }
}

impl Sender {
    pub(crate) fn expiring(
        &self,
        now: SystemTime,
        within: Duration,
    ) -> impl Iterator<Item = (&KeyState, Expiring)> {
        self.keys.iter().filter_map(move |key| {
            let expires_at = key.period.expires_at()?;
            let left = expires_at.duration_since(now).ok()?;
            if left.is_zero() || left > within {
                return None;
            }
            let leaves_none = !self.keys.iter().any(|other| other.period.is_active(expires_at));
            let sender = self.scheme().name().into();
            Some((key, Expiring { sender, key: key.id.clone(), expires_at, leaves_none }))
        })
    }
}

impl Expiring {
    /// The name of the sender's scheme.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// The id of the key.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// When the key expires: deliveries signed with it are rejected from exactly this instant on.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Whether no key of the sender is active once this one has expired.
    pub fn leaves_none(&self) -> bool {
        self.leaves_none
    }
}

impl fmt::Debug for Expiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expiring")
            .field("sender", &self.sender())
            .field("key", self.key())
            .field("expires_at", &self.expires_at)
            .field("leaves_none", &self.leaves_none)
            .finish()
    }
}
