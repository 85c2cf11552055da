//! What we hold: secrets and public keys, their ids, and when each is active.

use std::{env, fmt, sync::Arc, time::SystemTime};

use zeroize::Zeroizing;

use crate::error::BuildError;
#[cfg(feature = "rsa")]
use crate::public_key::PublicKey;

/// A secret that is shared with a sender: the exact bytes that key its HMAC.
///
/// Wiped from memory when dropped, and redacted in `Debug`.
///
/// ```
/// use countersign::Secret;
///
/// assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(redacted)");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The secret with exactly these bytes: nothing is trimmed or decoded.
    ///
    /// Senders that give the secret as text use the text's UTF-8 bytes, also where it looks like base64 or hex. For
    /// one from a file, remove the line end: `Secret::new(fs::read_to_string(path)?.trim_end())`. A secret without
    /// a byte other than zero is an error when the verifier is built; no other length is asked for.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The secret from an environment variable: the UTF-8 bytes of its value.
    ///
    /// # Errors
    /// [`EnvUnset`](BuildError::EnvUnset) where the variable is not set, [`EnvEmpty`](BuildError::EnvEmpty)
    /// where it is set to nothing, [`EnvPadded`](BuildError::EnvPadded) where its value begins or ends with
    /// white space, and [`EnvNotUnicode`](BuildError::EnvNotUnicode) where it is not UTF-8.
    pub fn from_env(variable: &str) -> Result<Self, BuildError> {
        let value = read_env(variable)?;
        if value.trim() == value.as_str() {
            Ok(Self::new(value.as_bytes()))
        } else {
            Err(BuildError::EnvPadded { variable: variable.to_owned() })
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it keys an HMAC as no secret at all does: HMAC fills a key up with zero bytes.
    pub(crate) fn is_void(&self) -> bool {
        self.0.iter().all(|&byte| byte == 0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The value of an environment variable that holds a key: never nothing.
pub(crate) fn read_env(variable: &str) -> Result<Zeroizing<String>, BuildError> {
    let variable = variable.to_owned();
    match env::var(&variable) {
        Ok(value) if value.is_empty() => Err(BuildError::EnvEmpty { variable }),
        Ok(value) => Ok(Zeroizing::new(value)),
        Err(env::VarError::NotPresent) => Err(BuildError::EnvUnset { variable }),
        Err(env::VarError::NotUnicode(_)) => Err(BuildError::EnvNotUnicode { variable }),
    }
}

/// The name of a key, as logs and metrics show it: `2026-q1`, say. Never the key itself.
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

/// A secret or public key with its id and, for rotation, the instants between which it is active.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use countersign::{Key, Secret};
///
/// // A fixed instant: one reckoned from `now()` would move with each restart.
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
    /// A shared secret, active always.
    pub fn secret(id: impl Into<KeyId>, secret: Secret) -> Self {
        Self::new(id.into(), Material::Secret(secret))
    }

    /// A sender's public key, active always.
    #[cfg(feature = "rsa")]
    pub fn public(id: impl Into<KeyId>, key: PublicKey) -> Self {
        Self::new(id.into(), Material::PublicKey(key))
    }

    /// From this instant on the key is active; before it, what it signed is rejected.
    pub fn not_before(mut self, instant: SystemTime) -> Self {
        self.period.not_before = Some(instant);
        self
    }

    /// From this instant on, exactly, what the key signed is rejected.
    ///
    /// Give a fixed instant: one that is reckoned from the time of start-up moves with each restart.
    pub fn expires_at(mut self, instant: SystemTime) -> Self {
        self.period.expires_at = Some(instant);
        self
    }

    fn new(id: KeyId, material: Material) -> Self {
        Self { id, material, period: Period::default() }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Material {
    Secret(Secret),
    #[cfg(feature = "rsa")]
    PublicKey(PublicKey),
}

impl Material {
    #[cfg_attr(
        not(feature = "rsa"),
        expect(clippy::unnecessary_wraps, reason = "without RSA there are secrets only")
    )]
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            #[cfg(feature = "rsa")]
            Self::PublicKey(_) => None,
        }
    }

    #[cfg(feature = "rsa")]
    pub(crate) fn public_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Secret(_) => None,
            Self::PublicKey(key) => Some(key),
        }
    }
}

/// When a key is active: from `not_before` on, up to but not including `expires_at`.
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

    pub(crate) fn is_empty(self) -> bool {
        matches!((self.not_before, self.expires_at), (Some(start), Some(end)) if start >= end)
    }
}
