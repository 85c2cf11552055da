//! What we hold: secrets and public keys, their ids, and when each is active.

use std::{env, fmt, fs, path::Path, sync::Arc, time::SystemTime};

use constant_time_eq::constant_time_eq;
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

#[cfg(feature = "public-key")]
use crate::public_key::PublicKey;
use crate::{
    error::BuildError,
    scheme::{Scheme, SecretForm},
};

/// A secret that is shared with a sender, as the sender shows it.
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

/// For the set-up, which compares its own keys; a delivery's is never compared so.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl Secret {
    /// The secret with exactly these bytes: nothing is trimmed or decoded.
    ///
    /// Give the text that the sender shows, whole: the scheme knows whether its bytes are the key or it is base64 or hex of
    /// the key. A key without a byte other than zero is an error when the verifier is built; no other length is asked for.
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

    /// The secret from a file, as secret stores mount them: the bytes of its content, without one line end after them.
    ///
    /// # Errors
    /// [`FileUnreadable`](BuildError::FileUnreadable) where it cannot be read, [`FileEmpty`](BuildError::FileEmpty) where
    /// nothing is in it, and [`FilePadded`](BuildError::FilePadded) where white space stands at its beginning or end.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        let path = path.as_ref();
        let bytes = read_file(path)?;
        if bytes.trim_ascii() == bytes.as_slice() {
            Ok(Self(bytes))
        } else {
            Err(BuildError::FilePadded { file: path.display().to_string() })
        }
    }

    #[cfg(all(feature = "public-key", feature = "serde"))]
    pub(crate) fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        read(&String::from_utf8_lossy(&self.0))
    }

    /// The bytes of the key, as the scheme reads them from what the sender shows.
    pub(crate) fn key(&self, scheme: &Scheme, id: &str) -> Result<Zeroizing<Vec<u8>>, BuildError> {
        let wrong = |form: String| BuildError::SecretForm {
            key: id.to_owned(),
            scheme: scheme.name().to_owned(),
            form: form.into(),
        };
        let key = match &scheme.secret_form {
            SecretForm::Text => self.0.clone(),
            SecretForm::Base64 { prefix } => {
                let text = self.0.strip_prefix(prefix.as_bytes()).unwrap_or(&self.0);
                let encoding = if text.ends_with(b"=") { BASE64 } else { BASE64_NOPAD };
                let wrong = |_| match &**prefix {
                    "" => wrong("base64".to_owned()),
                    prefix => wrong(format!("base64, with or without {prefix:?} before it")),
                };
                Zeroizing::new(encoding.decode(text).map_err(wrong)?)
            }
            SecretForm::Hex => {
                Zeroizing::new(HEXLOWER_PERMISSIVE.decode(&self.0).map_err(|_| wrong("hex".to_owned()))?)
            }
        };
        // HMAC fills a key up with zero bytes: one of only those keys it as no secret at all does.
        if key.iter().all(|&byte| byte == 0) { Err(scheme.empty_secret(id)) } else { Ok(key) }
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

/// The content of a file that holds a key: never nothing.
pub(crate) fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, BuildError> {
    let file = || path.display().to_string();
    let mut bytes = fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| BuildError::FileUnreadable { file: file(), reason: error.kind().to_string() })?;
    // One line end, which editors add: white space beside it could be the secret's own.
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    if bytes.is_empty() { Err(BuildError::FileEmpty { file: file() }) } else { Ok(bytes) }
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
    #[cfg(feature = "public-key")]
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Secret(Secret),
    #[cfg(feature = "public-key")]
    PublicKey(PublicKey),
}

impl Material {
    #[cfg_attr(
        not(feature = "public-key"),
        expect(clippy::unnecessary_wraps, reason = "without RSA there are secrets only")
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

    pub(crate) fn is_always(self) -> bool {
        self.not_before.is_none() && self.expires_at.is_none()
    }

    pub(crate) fn is_empty(self) -> bool {
        matches!((self.not_before, self.expires_at), (Some(start), Some(end)) if start >= end)
    }
}
