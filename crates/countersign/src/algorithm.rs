//! The algorithms: keys made ready, their running states, and the comparison.

#[cfg(feature = "rsa")]
pub(crate) mod rsa;

use std::{fmt, ops::BitOr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use smallvec::SmallVec;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    error::BuildError,
    key::{Key, Secret},
    scheme::Scheme,
    signature::Claimed,
    verification::Fingerprint,
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

/// What came of comparing the computed signatures with the claimed ones.
pub(crate) struct Comparison {
    /// Which keys made one of the claimed signatures, by their place in the ring.
    pub(crate) made_by_key: [bool; MOST_KEYS],
    pub(crate) fingerprint: Fingerprint,
}

impl KeyRing {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        match scheme.algorithm {
            Algorithm::HmacSha256 => {
                let keyed = |key: &Key| match key.material.secret() {
                    Some(secret) if secret.is_void() => Err(scheme.empty_secret(key.id.as_str())),
                    Some(secret) => Ok(keyed(secret)),
                    None => Err(scheme.does_not_take(key.id.as_str(), "a secret")),
                };
                keys.iter().map(keyed).collect::<Result<_, _>>().map(Self::HmacSha256)
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
    pub(crate) fn compare(&self, running: Running, claimed: &[Claimed]) -> Comparison {
        match (self, running) {
            (_, Running::HmacSha256(states)) => compare_macs(states, claimed),
            #[cfg(feature = "rsa")]
            (Self::Rsa(ring), Running::Rsa(digest)) => ring.compare(&digest.finish(), claimed),
            #[cfg(feature = "rsa")]
            (Self::HmacSha256(_), Running::Rsa(digest)) => digest.finish().unmatched(),
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

/// Every key against every signature, without an early exit: how near a guess came shows in no time.
fn compare_macs(states: impl IntoIterator<Item = HmacSha256>, claimed: &[Claimed]) -> Comparison {
    let mut made_by_key = [false; MOST_KEYS];
    let mut fingerprint = None;
    for (made, state) in made_by_key.iter_mut().zip(states) {
        let computed: Zeroizing<[u8; 32]> = Zeroizing::new(state.finalize().into_bytes().into());
        let compare = |signature: &Claimed| computed.as_slice().ct_eq(signature.as_slice());
        *made = claimed.iter().map(compare).fold(Choice::from(0), BitOr::bitor).into();
        // Under the first key, whichever matched: a caller that leaves a signature out would change the rest.
        fingerprint.get_or_insert_with(|| Fingerprint::of(&*computed));
    }
    Comparison { made_by_key, fingerprint: fingerprint.unwrap_or_else(|| Fingerprint::of(&[])) }
}

pub(crate) fn keyed(secret: &Secret) -> HmacSha256 {
    #[expect(clippy::expect_used, reason = "RFC 2104 defines HMAC for keys of every length")]
    HmacSha256::new_from_slice(secret.bytes()).expect("HMAC takes keys of every length")
}
