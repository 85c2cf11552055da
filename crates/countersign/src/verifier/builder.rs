use std::sync::Arc;

use super::{DEFAULT_BODY_LIMIT, OnSeveral, Verifier};
#[cfg(feature = "public-key")]
use crate::public_key::PublicKey;
use crate::{
    algorithm::{KeyRing, MOST_KEYS},
    error::BuildError,
    key::{Key, KeyId, Period, Secret},
    scheme::Scheme,
    sender::Sender,
};

/// Sets up a [`Verifier`]: at least one key, and a body limit where the default of 1 MiB does not fit.
#[derive(Clone, Debug)]
#[must_use = "a builder verifies nothing until it is built"]
pub struct VerifierBuilder {
    scheme: Scheme,
    keys: Vec<Key>,
    body_limit: usize,
}

impl VerifierBuilder {
    pub(super) fn new(scheme: Scheme) -> Self {
        Self { scheme, keys: Vec::new(), body_limit: DEFAULT_BODY_LIMIT }
    }

    /// Adds a shared secret that is always active, under the id that logs show for it.
    pub fn secret(self, id: impl Into<KeyId>, secret: Secret) -> Self {
        self.key(Key::secret(id, secret))
    }

    /// Adds a sender's public key that is always active, under the id that logs show for it.
    #[cfg(feature = "public-key")]
    pub fn public_key(self, id: impl Into<KeyId>, key: PublicKey) -> Self {
        self.key(Key::public(id, key))
    }

    /// Adds a key, with the instants between which it is active.
    ///
    /// A verifier may hold 8. An inactive key is still tried, so that a rejection can say that a
    /// delivery was signed with it: remove a key once its sender has stopped using it.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// The most bytes that a body may have; [`DEFAULT_BODY_LIMIT`] where this is not called.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Checks everything and freezes it.
    ///
    /// # Errors
    /// A [`BuildError`] for no key or more than 8, an empty or repeated key id, the same key under two ids, a secret without a byte other than zero, a key that is
    /// never active, a key that does not fit the scheme (a secret for RSA, a public key for HMAC, an RSA modulus
    /// outside of what the scheme allows), a header name that is not one, a tolerance where no timestamp is
    /// signed, and a body limit of 0.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let (scheme, content) = self.scheme.checked()?;
        if self.keys.is_empty() {
            return Err(BuildError::NoKey { scheme: scheme.name().to_owned() });
        }
        if self.keys.len() > MOST_KEYS {
            let given = self.keys.len();
            return Err(BuildError::TooManyKeys {
                scheme: scheme.name().to_owned(),
                given,
                limit: MOST_KEYS,
            });
        }
        if self.body_limit == 0 {
            return Err(BuildError::ZeroBodyLimit);
        }
        let mut keys: Vec<(KeyId, Period)> = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            if key.id.as_str().is_empty() {
                return Err(BuildError::EmptyKeyId { scheme: scheme.name().to_owned() });
            }
            if keys.iter().any(|(id, _)| *id == key.id) {
                return Err(BuildError::DuplicateKeyId {
                    key: key.id.to_string(),
                    scheme: scheme.name().to_owned(),
                });
            }
            let same = |other: &&Key| other.id != key.id && other.material == key.material;
            if let Some(other) = self.keys.iter().find(same) {
                return Err(BuildError::SameKey {
                    first: key.id.to_string(),
                    second: other.id.to_string(),
                    scheme: scheme.name().to_owned(),
                });
            }
            if key.period.is_empty() {
                return Err(BuildError::KeyNeverActive {
                    key: key.id.to_string(),
                    scheme: scheme.name().to_owned(),
                });
            }
            keys.push((key.id.clone(), key.period));
        }
        let ring = KeyRing::new(&scheme, &self.keys)?;
        let signature_lengths = ring.signature_lengths();
        let sender = Sender { scheme, content, keys, ring, signature_lengths, body_limit: self.body_limit };
        Verifier::new(vec![Arc::new(sender)], OnSeveral::Reject)
    }
}
