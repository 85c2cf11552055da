//! What every ring of keys does, and what a scheme requires of its keys.

use std::{borrow::Cow, ops::RangeInclusive};

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

#[cfg(feature = "public-key")]
use crate::keys::algorithm::GREATEST_MODULUS_BITS;
use crate::{
    error::BuildError,
    keys::{
        algorithm::Algorithm,
        key::{Key, KeyId},
        secret::{SecretForm, WrongForm},
    },
    wire::encoding::SignatureBytes,
};

/// Limit on the keys of one verifier: each secret costs a pass over the body of every delivery.
pub(crate) const MOST_KEYS: usize = 8;

/// One sender's keys, ready to verify.
pub(crate) trait KeyRing: Send + Sync {
    /// The lengths in bytes of the signatures that the keys can make.
    fn signature_lengths(&self) -> Vec<RangeInclusive<usize>>;

    /// How many verifications each claimed signature costs: none under an HMAC, which only compares it.
    fn verifications(&self) -> usize;

    /// Starts hashing one delivery that claims these signatures.
    fn start(&self, claimed: &[SignatureBytes]) -> Box<dyn Running>;
}

/// One delivery's hashing, for every key of a ring. It stays where it was allocated, so that wiping it leaves no copy.
pub(crate) trait Running: Send + Sync {
    fn update(&mut self, bytes: &[u8]);

    /// Compares every key's signature with every claimed one.
    fn finish(self: Box<Self>, claimed: &[SignatureBytes]) -> Comparison;
}

/// The outcome of comparing the computed signatures with the claimed ones.
pub(crate) struct Comparison {
    /// Which keys made one of the claimed signatures, by their place in the ring.
    pub(crate) made_by_key: [bool; MOST_KEYS],
    pub(crate) computed: Computed,
}

/// A computed signature or digest, kept only to derive a fingerprint from it: its first 32 bytes at most.
///
/// A longer one is kept as its SHA-256.
#[derive(Clone)]
pub(crate) struct Computed {
    bytes: [u8; 32],
    length: usize,
}

impl Computed {
    pub(crate) fn new(computed: &[u8]) -> Self {
        let mut bytes = [0; 32];
        match bytes.get_mut(..computed.len()) {
            Some(kept) => kept.copy_from_slice(computed),
            None => bytes = Sha256::digest(computed).into(),
        }
        Self { bytes, length: computed.len().min(32) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What a scheme requires of its keys.
pub(crate) struct KeyRules<'s> {
    /// The scheme's name, for errors.
    pub(crate) scheme: &'s str,
    pub(crate) algorithm: Algorithm,
    pub(crate) secret_form: &'s SecretForm,
    #[cfg_attr(not(feature = "public-key"), expect(dead_code, reason = "only RSA keys have a modulus"))]
    pub(crate) least_modulus_bits: usize,
}

impl KeyRules<'_> {
    /// The bytes of a secret key: never none, and never only zeros.
    pub(crate) fn secret(&self, key: &Key) -> Result<Zeroizing<Vec<u8>>, BuildError> {
        let secret = key.material.secret().ok_or_else(|| self.does_not_fit(&key.id))?;
        let empty = || BuildError::EmptySecret { key: key.id.to_string(), scheme: self.scheme.to_owned() };
        if secret.is_blank() {
            return Err(empty());
        }
        let bytes =
            secret.key(self.secret_form).map_err(|WrongForm { expected }| self.wrong_form(key, expected))?;
        // HMAC pads a key with zero bytes, so a key of nothing but zeros is the same as no key.
        if bytes.iter().all(|&byte| byte == 0) { Err(empty()) } else { Ok(bytes) }
    }

    pub(crate) fn does_not_fit(&self, key: &KeyId) -> BuildError {
        BuildError::KeyDoesNotFit {
            key: key.to_string(),
            scheme: self.scheme.to_owned(),
            needs: self.algorithm.needs(),
        }
    }

    pub(crate) fn wrong_form(&self, key: &Key, form: impl Into<Cow<'static, str>>) -> BuildError {
        BuildError::SecretForm { key: key.id.to_string(), scheme: self.scheme.to_owned(), form: form.into() }
    }

    #[cfg(feature = "public-key")]
    pub(crate) fn check_modulus(&self, key: &KeyId, bits: usize) -> Result<(), BuildError> {
        let (least, greatest) = (self.least_modulus_bits, GREATEST_MODULUS_BITS);
        if (least..=greatest).contains(&bits) {
            return Ok(());
        }
        Err(BuildError::ModulusSize {
            key: key.to_string(),
            scheme: self.scheme.to_owned(),
            bits,
            least,
            greatest,
        })
    }
}

/// Whether one of the claimed signatures equals the computed one. The time it takes depends on neither's content, so it
/// does not show how close a guess came.
pub(crate) fn is_any_of(computed: &[u8], claimed: &[SignatureBytes]) -> bool {
    let found = claimed.iter().map(|claimed| computed.ct_eq(claimed));
    found.fold(Choice::from(0), |any, this| any | this).into()
}
