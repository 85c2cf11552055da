//! Sets up a verifier for one sender.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

#[cfg(feature = "public-key")]
use crate::keys::public_key::PublicKey;
use crate::{
    error::BuildError,
    keys::{
        key::{Key, KeyId},
        ring::MOST_KEYS,
        secret::Secret,
    },
    schemes::scheme::Scheme,
    verdicts::{profile::Profile, tenancy::Tenancy},
    verifying::{
        key_state::KeyState,
        sender::Sender,
        verifier::{DEFAULT_BODY_LIMIT, Verifier},
    },
};

/// Sets up a [`Verifier`]: give it at least one key, and a body limit if the default of 1 MiB does not fit.
#[derive(Clone, Debug)]
#[must_use = "a builder verifies nothing until it is built"]
pub struct VerifierBuilder {
    scheme: Scheme,
    keys: Vec<Key>,
    body_limit: usize,
    warn_before_expiry: Duration,
}

/// How long before a key's expiry there is a warning: 7 days.
const WARN_BEFORE_EXPIRY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Verifier {
    /// Starts a verifier for deliveries under this scheme.
    pub fn builder(scheme: Scheme) -> VerifierBuilder {
        VerifierBuilder {
            scheme,
            keys: Vec::new(),
            body_limit: DEFAULT_BODY_LIMIT,
            warn_before_expiry: WARN_BEFORE_EXPIRY,
        }
    }
}

impl VerifierBuilder {
    /// Adds a shared secret that is always active, under the id that logs show for it.
    pub fn secret(self, id: impl Into<KeyId>, secret: Secret) -> Self {
        self.key(Key::secret(id, secret))
    }

    /// Adds a sender's public key that is always active, under the id that logs show for it.
    #[cfg(feature = "public-key")]
    pub fn public_key(self, id: impl Into<KeyId>, key: PublicKey) -> Self {
        self.key(Key::public(id, key))
    }

    /// Adds a key with the instants between which it is active. A verifier holds up to 8.
    ///
    /// Inactive keys are tried too, so that a rejection can say that a delivery was signed with one. Remove a key once its
    /// sender no longer uses it.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Limits the body to this many bytes; [`DEFAULT_BODY_LIMIT`] by default.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Warns this long before a key expires, with an event at `WARN` for each key and day (feature `tracing`); 7 days by default,
    /// and never if it is zero. [`Verifier::report_keys`] says when.
    pub fn warn_before_expiry(mut self, time: Duration) -> Self {
        self.warn_before_expiry = time;
        self
    }

    /// Checks everything and builds the verifier.
    ///
    /// # Errors
    /// A [`BuildError`] for:
    ///
    /// - no key, or more than 8;
    /// - an empty or repeated key id, or the same key under two ids;
    /// - a secret that is empty, blank or nothing but zero bytes, or a [placeholder](Secret::dangerously_accept_placeholder);
    /// - a key that is never active;
    /// - a key that does not fit the scheme: a secret for RSA, a public key for HMAC, an RSA modulus outside the scheme's
    ///   limits;
    /// - an invalid header name;
    /// - a tolerance for a scheme that signs no timestamp;
    /// - a body limit of 0.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let (scheme, content) = self.scheme.checked()?;
        if self.body_limit == 0 {
            return Err(BuildError::ZeroBodyLimit);
        }
        check_keys(&scheme, &self.keys)?;
        let rules = scheme.key_rules();
        self.keys.iter().try_for_each(|key| rules.refuse_placeholder(key))?;
        let ring = rules.ring(&self.keys)?;
        #[cfg(feature = "tracing")]
        self.keys.iter().for_each(|key| rules.warn_if_weak(key));
        let signature_lengths = ring.signature_lengths();
        let keys = self.keys.iter().map(KeyState::of).collect();
        let ids = self.keys.into_iter().map(|key| key.id).collect();
        let profile =
            Arc::new(Profile { scheme, keys: ids, body_limit: self.body_limit, tenancy: Tenancy::Own });
        let warn_before_expiry = self.warn_before_expiry;
        let reported = AtomicU64::new(0);
        Verifier::of_one(Sender {
            profile,
            content,
            keys,
            ring,
            signature_lengths,
            warn_before_expiry,
            reported,
        })
    }
}

/// Checks the keys against one another; whether each fits the scheme is up to its algorithm.
fn check_keys(scheme: &Scheme, keys: &[Key]) -> Result<(), BuildError> {
    let scheme = || scheme.name().to_owned();
    if keys.is_empty() {
        return Err(BuildError::NoKey { scheme: scheme() });
    }
    if keys.len() > MOST_KEYS {
        return Err(BuildError::TooManyKeys { scheme: scheme(), given: keys.len(), limit: MOST_KEYS });
    }
    for (place, key) in keys.iter().enumerate() {
        let id = || key.id.to_string();
        if key.id.as_str().is_empty() {
            return Err(BuildError::EmptyKeyId { scheme: scheme() });
        }
        let later = || keys.iter().skip(place).skip(1);
        if later().any(|other| other.id == key.id) {
            return Err(BuildError::DuplicateKeyId { key: id(), scheme: scheme() });
        }
        if let Some(other) = later().find(|other| other.material == key.material) {
            return Err(BuildError::SameKey { first: id(), second: other.id.to_string(), scheme: scheme() });
        }
        if key.period.is_empty() {
            return Err(BuildError::KeyNeverActive { key: id(), scheme: scheme() });
        }
    }
    Ok(())
}
