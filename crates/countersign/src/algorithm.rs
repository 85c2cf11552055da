//! The algorithms: keys made ready, their running states, and the comparison.

#[cfg(feature = "rsa")]
pub(crate) mod rsa;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use smallvec::SmallVec;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    error::BuildError,
    key::{Key, Secret},
    scheme::Scheme,
    signature::Claimed,
};

/// The most keys of one verifier: each secret costs a pass over the body of every delivery.
pub(crate) const MOST_KEYS: usize = 8;

/// A signature algorithm. A scheme pins its own; nothing in a request chooses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256, [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104).
    HmacSha256,
    /// RSA PKCS#1 v1.5 with SHA-512, [RFC 8017 §8.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2):
    /// `SHA512withRSA`.
    #[cfg(feature = "rsa")]
    #[non_exhaustive]
    RsaPkcs1Sha512 {
        /// The least size of a key's modulus, in bits.
        least_modulus_bits: usize,
    },
    /// RSA PKCS#1 v1.5 with MD5, which is broken: `MD5withRSA`.
    #[cfg(feature = "legacy-md5")]
    #[non_exhaustive]
    LegacyRsaPkcs1Md5 {
        /// The least size of a key's modulus, in bits.
        least_modulus_bits: usize,
    },
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HmacSha256 => "HMAC-SHA256",
            #[cfg(feature = "rsa")]
            Self::RsaPkcs1Sha512 { .. } => "RSA PKCS#1 v1.5 with SHA-512",
            #[cfg(feature = "legacy-md5")]
            Self::LegacyRsaPkcs1Md5 { .. } => "RSA PKCS#1 v1.5 with MD5",
        })
    }
}

/// The keys of one verifier, made ready once: an HMAC's key schedule is kept, an RSA key is parsed.
pub(crate) enum KeyRing {
    HmacSha256(Vec<HmacSha256>),
    #[cfg(feature = "rsa")]
    Rsa(rsa::KeyRing),
}

pub(crate) type HmacSha256 = Hmac<Sha256>;

/// One delivery's hashing, for every key of the ring in step.
pub(crate) enum Running {
    HmacSha256(SmallVec<[HmacSha256; 2]>),
    #[cfg(feature = "rsa")]
    Rsa(rsa::Digest),
}

/// For each key, by its place in the ring, which of the claimed signatures it made.
pub(crate) struct Matches([u8; MOST_KEYS]);

impl KeyRing {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        match scheme.algorithm {
            Algorithm::HmacSha256 => {
                let keyed = |key: &Key| match key.material.secret() {
                    Some(secret) if secret.bytes().is_empty() => Err(BuildError::EmptySecret {
                        key: key.id.to_string(),
                    }),
                    Some(secret) => Ok(keyed(secret)),
                    None => Err(scheme.does_not_take(key.id.as_str(), "a secret")),
                };
                keys.iter()
                    .map(keyed)
                    .collect::<Result<_, _>>()
                    .map(Self::HmacSha256)
            }
            #[cfg(feature = "rsa")]
            Algorithm::RsaPkcs1Sha512 { least_modulus_bits } => {
                rsa::KeyRing::sha512(scheme, keys, least_modulus_bits).map(Self::Rsa)
            }
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 { least_modulus_bits } => {
                rsa::KeyRing::legacy_md5(scheme, keys, least_modulus_bits).map(Self::Rsa)
            }
        }
    }

    /// The lengths in bytes of the signatures that the keys could have made.
    pub(crate) fn signature_lengths(&self) -> Vec<usize> {
        match self {
            Self::HmacSha256(_) => vec![32],
            #[cfg(feature = "rsa")]
            Self::Rsa(ring) => ring.signature_lengths(),
        }
    }

    pub(crate) fn start(&self) -> Running {
        match self {
            Self::HmacSha256(keyed) => Running::HmacSha256(keyed.iter().cloned().collect()),
            #[cfg(feature = "rsa")]
            Self::Rsa(ring) => Running::Rsa(ring.start()),
        }
    }

    /// Compares what was computed over everything hashed with every claimed signature.
    pub(crate) fn matches(&self, running: Running, claimed: &[Claimed]) -> Matches {
        match (self, running) {
            (_, Running::HmacSha256(states)) => Matches::of_macs(states, claimed),
            #[cfg(feature = "rsa")]
            (Self::Rsa(ring), Running::Rsa(digest)) => ring.matches(&digest.finish(), claimed),
            #[cfg(feature = "rsa")]
            (Self::HmacSha256(_), Running::Rsa(_)) => Matches::none(),
        }
    }
}

impl Running {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::HmacSha256(states) => states.iter_mut().for_each(|state| state.update(bytes)),
            #[cfg(feature = "rsa")]
            Self::Rsa(digest) => digest.update(bytes),
        }
    }
}

impl Matches {
    const NONE: u8 = u8::MAX;

    fn none() -> Self {
        Self([Self::NONE; MOST_KEYS])
    }

    /// Every key against every signature, without an early exit: how near a guess came shows in no time.
    fn of_macs(states: impl IntoIterator<Item = HmacSha256>, claimed: &[Claimed]) -> Self {
        let mut matches = Self::none();
        for (found, state) in matches.0.iter_mut().zip(states) {
            let computed: Zeroizing<[u8; 32]> = Zeroizing::new(state.finalize().into_bytes().into());
            for (index, signature) in (0..).zip(claimed) {
                found.conditional_assign(&index, computed.as_slice().ct_eq(signature.as_slice()));
            }
        }
        matches
    }

    /// The claimed signatures that each key made, by the key's place in the ring.
    pub(crate) fn by_key<'c>(&self, claimed: &'c [Claimed]) -> impl Iterator<Item = Option<&'c Claimed>> {
        self.0.map(|index| claimed.get(usize::from(index))).into_iter()
    }
}

pub(crate) fn keyed(secret: &Secret) -> HmacSha256 {
    #[expect(
        clippy::expect_used,
        reason = "RFC 2104 defines HMAC for keys of every length"
    )]
    HmacSha256::new_from_slice(secret.bytes()).expect("HMAC takes keys of every length")
}
