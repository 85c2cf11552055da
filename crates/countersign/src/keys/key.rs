//! Keys: a secret or public key, its id, and when it is active.

use std::{fmt, sync::Arc, time::SystemTime};

use sha2::{Digest, Sha256};

#[cfg(feature = "public-key")]
use crate::keys::public_key::PublicKey;
use crate::keys::secret::Secret;

/// The name of a key in logs and metrics, such as `2026-q1`. Never the key itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for KeyId {
    fn from(id: T) -> Self {
        Self(Arc::from(id.as_ref()))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A secret or public key with its id and, for key rotation, the instants between which it is active.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use countersign::{Key, Secret};
///
/// // A fixed instant: one computed from `now()` would move with each restart.
/// let new_year = SystemTime::UNIX_EPOCH + Duration::from_secs(1_798_761_600); // 2027-01-01T00:00:00Z
/// let retiring = Key::secret("2026-q3", Secret::new("the old one")).expires_at(new_year);
/// # let _ = retiring;
/// ```
#[derive(Clone, Debug)]
pub struct Key {
    pub(crate) id: KeyId,
    pub(crate) material: Material,
    pub(crate) period: Period,
}

impl Key {
    /// A shared secret that is always active.
    pub fn secret(id: impl Into<KeyId>, secret: Secret) -> Self {
        Self::new(id.into(), Material::Secret(secret))
    }

    /// A sender's public key that is always active.
    #[cfg(feature = "public-key")]
    pub fn public(id: impl Into<KeyId>, key: PublicKey) -> Self {
        Self::new(id.into(), Material::PublicKey(key))
    }

    /// Activates the key at this instant; deliveries signed with it are rejected before.
    pub fn not_before(mut self, instant: SystemTime) -> Self {
        self.period.not_before = Some(instant);
        self
    }

    /// Rejects deliveries signed with the key from exactly this instant on.
    ///
    /// Give a fixed instant: one computed from the time of start-up moves with each restart.
    pub fn expires_at(mut self, instant: SystemTime) -> Self {
        self.period.expires_at = Some(instant);
        self
    }

    /// The key's id.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Whether the key is active at this instant, by [`not_before`](Self::not_before) and [`expires_at`](Self::expires_at).
    pub fn is_active(&self, now: SystemTime) -> bool {
        self.period.is_active(now)
    }

    /// The key's secret; `None` for a public key.
    pub fn into_secret(self) -> Option<Secret> {
        match self.material {
            Material::Secret(secret) => Some(secret),
            #[cfg(feature = "public-key")]
            Material::PublicKey(_) => None,
        }
    }

    fn new(id: KeyId, material: Material) -> Self {
        Self { id, material, period: Period::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Secret(Secret),
    #[cfg(feature = "public-key")]
    PublicKey(PublicKey),
}

impl Material {
    /// The hash with the bytes of the key, as they were given.
    pub(crate) fn hashed_into(&self, hash: Sha256) -> Sha256 {
        match self {
            Self::Secret(secret) => hash.chain_update([0]).chain_update(secret.as_bytes()),
            #[cfg(feature = "public-key")]
            Self::PublicKey(key) => hash.chain_update([1]).chain_update(key.as_bytes()),
        }
    }

    #[cfg_attr(
        not(feature = "public-key"),
        expect(clippy::unnecessary_wraps, reason = "without public keys, every key is a secret")
    )]
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            #[cfg(feature = "public-key")]
            Self::PublicKey(_) => None,
        }
    }

    #[cfg(feature = "public-key")]
    pub(crate) fn public_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Secret(_) => None,
            Self::PublicKey(key) => Some(key),
        }
    }
}

/// When a key is active: from `not_before` up to but not including `expires_at`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Period {
    not_before: Option<SystemTime>,
    expires_at: Option<SystemTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    NotYet,
    Active,
    Expired,
}

impl Period {
    pub(crate) fn activity(self, now: SystemTime) -> Activity {
        if self.expires_at.is_some_and(|instant| now >= instant) {
            Activity::Expired
        } else if self.not_before.is_some_and(|instant| now < instant) {
            Activity::NotYet
        } else {
            Activity::Active
        }
    }

    pub(crate) fn is_active(self, now: SystemTime) -> bool {
        self.activity(now) == Activity::Active
    }

    pub(crate) fn expires_at(self) -> Option<SystemTime> {
        self.expires_at
    }

    pub(crate) fn is_empty(self) -> bool {
        matches!((self.not_before, self.expires_at), (Some(start), Some(end)) if start >= end)
    }
}
