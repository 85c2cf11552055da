//! RSA PKCS#1 v1.5 verification: the only file that names an RSA library.
//!
//! SHA-512 goes through aws-lc-rs, on a key parsed once and a digest taken as the body arrives. MD5 is in no safe
//! interface of aws-lc-rs or ring, so it goes through the `rsa` crate, behind the feature `legacy-md5`. That crate
//! carries RUSTSEC-2023-0071, a timing leak of private keys: verifying has none.

use aws_lc_rs::{digest, signature};

#[cfg(feature = "sign")]
use super::Algorithm;
use super::{MOST_KEYS, Matches};
use crate::{error::BuildError, key::Key, public_key::PublicKey, scheme::Scheme, signature::Claimed};

/// The greatest modulus that any scheme takes, in bits: a larger one only makes each delivery dearer.
pub(crate) const GREATEST_MODULUS_BITS: usize = 4096;

pub(crate) enum KeyRing {
    Sha512(Vec<ParsedKey>),
    #[cfg(feature = "legacy-md5")]
    LegacyMd5(Vec<rsa_legacy::RsaPublicKey>),
}

pub(crate) enum Digest {
    Sha512(digest::Context),
    #[cfg(feature = "legacy-md5")]
    LegacyMd5(md5::Md5),
}

pub(crate) enum Finished {
    Sha512(digest::Digest),
    #[cfg(feature = "legacy-md5")]
    LegacyMd5([u8; 16]),
}

/// An RSA public key, parsed and ready for SHA-512.
#[derive(Clone)]
pub(crate) struct ParsedKey {
    key: signature::ParsedPublicKey,
    modulus_bytes: usize,
}

impl ParsedKey {
    /// From the DER of a `SubjectPublicKeyInfo` whose modulus has `modulus_bits`.
    pub(crate) fn new(der: &[u8], modulus_bits: usize) -> Option<Self> {
        // The name warns of 1024 bits, which the scheme's own minimum decides about.
        let algorithm = &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY;
        let key = signature::ParsedPublicKey::new(algorithm, der).ok()?;
        Some(Self {
            key,
            modulus_bytes: modulus_bits.div_ceil(8),
        })
    }
}

impl KeyRing {
    pub(crate) fn sha512(
        scheme: &Scheme,
        keys: &[Key],
        least_modulus_bits: usize,
    ) -> Result<Self, BuildError> {
        let parsed = |key| Ok(public_key_of(scheme, key, least_modulus_bits)?.parsed.clone());
        keys.iter()
            .map(parsed)
            .collect::<Result<_, _>>()
            .map(Self::Sha512)
    }

    #[cfg(feature = "legacy-md5")]
    pub(crate) fn legacy_md5(
        scheme: &Scheme,
        keys: &[Key],
        least_modulus_bits: usize,
    ) -> Result<Self, BuildError> {
        use rsa_legacy::pkcs8::DecodePublicKey;

        let parsed = |key| {
            rsa_legacy::RsaPublicKey::from_public_key_der(
                &public_key_of(scheme, key, least_modulus_bits)?.der,
            )
            .map_err(|_| BuildError::PublicKey {
                reason: "its exponent or modulus is out of range",
            })
        };
        keys.iter()
            .map(parsed)
            .collect::<Result<_, _>>()
            .map(Self::LegacyMd5)
    }

    pub(crate) fn signature_lengths(&self) -> Vec<usize> {
        let mut lengths: Vec<usize> = match self {
            Self::Sha512(keys) => keys.iter().map(|key| key.modulus_bytes).collect(),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(keys) => keys
                .iter()
                .map(rsa_legacy::traits::PublicKeyParts::size)
                .collect(),
        };
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    pub(crate) fn start(&self) -> Digest {
        match self {
            Self::Sha512(_) => Digest::Sha512(digest::Context::new(&digest::SHA512)),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(_) => Digest::LegacyMd5(md5::Md5::default()),
        }
    }

    /// Nothing here is secret, so a pair that does not match costs only its own time.
    pub(crate) fn matches(&self, finished: &Finished, claimed: &[Claimed]) -> Matches {
        let mut matches = [Matches::NONE; MOST_KEYS];
        for (place, found) in matches.iter_mut().enumerate() {
            if let Some((index, _)) = (0..)
                .zip(claimed)
                .find(|(_, signature)| self.verify(place, finished, signature))
            {
                *found = index;
            }
        }
        Matches(matches)
    }

    fn verify(&self, place: usize, finished: &Finished, signature: &Claimed) -> bool {
        match (self, finished) {
            (Self::Sha512(keys), Finished::Sha512(digest)) => keys
                .get(place)
                .is_some_and(|parsed| parsed.key.verify_digest_sig(digest, signature).is_ok()),
            #[cfg(feature = "legacy-md5")]
            (Self::LegacyMd5(keys), Finished::LegacyMd5(digest)) => keys.get(place).is_some_and(|key| {
                key.verify(rsa_legacy::Pkcs1v15Sign::new::<md5::Md5>(), digest, signature)
                    .is_ok()
            }),
            #[cfg(feature = "legacy-md5")]
            (Self::Sha512(_), Finished::LegacyMd5(_)) | (Self::LegacyMd5(_), Finished::Sha512(_)) => false,
        }
    }
}

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha512(context) => context.update(bytes),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(state) => md5::Digest::update(state, bytes),
        }
    }

    pub(crate) fn finish(self) -> Finished {
        match self {
            Self::Sha512(context) => Finished::Sha512(context.finish()),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(state) => Finished::LegacyMd5(md5::Digest::finalize(state).into()),
        }
    }
}

/// The key's public key, where it has one of an allowed size.
fn public_key_of<'k>(scheme: &Scheme, key: &'k Key, least: usize) -> Result<&'k PublicKey, BuildError> {
    let id = key.id.as_str();
    let public = key
        .material
        .public_key()
        .ok_or_else(|| scheme.does_not_take(id, "an RSA public key"))?;
    check_modulus(id, public.modulus_bits, least).map(|()| public)
}

fn check_modulus(key: &str, bits: usize, least: usize) -> Result<(), BuildError> {
    if (least..=GREATEST_MODULUS_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(BuildError::ModulusSize {
            key: key.to_owned(),
            bits,
            least,
            greatest: GREATEST_MODULUS_BITS,
        })
    }
}

/// An RSA private key, for a [`Signer`](crate::Signer) (feature `sign`).
///
/// Wiped from memory when dropped, and redacted in `Debug`.
#[cfg(feature = "sign")]
pub struct PrivateKey(Box<rsa_legacy::RsaPrivateKey>);

#[cfg(feature = "sign")]
impl PrivateKey {
    /// From PEM: `-----BEGIN PRIVATE KEY-----` (PKCS#8) or `-----BEGIN RSA PRIVATE KEY-----` (PKCS#1).
    ///
    /// # Errors
    /// [`BuildError::PrivateKey`] for a text that is neither, for one that is encrypted, and for a key that is
    /// not RSA.
    pub fn from_pem(pem: &str) -> Result<Self, BuildError> {
        use rsa_legacy::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey, pkcs8::DecodePrivateKey};

        let pem = pem.trim();
        RsaPrivateKey::from_pkcs8_pem(pem)
            .ok()
            .or_else(|| RsaPrivateKey::from_pkcs1_pem(pem).ok())
            .map(|key| Self(Box::new(key)))
            .ok_or(BuildError::PrivateKey {
                reason: "it is not unencrypted PKCS#8 or PKCS#1 PEM",
            })
    }
}

#[cfg(feature = "sign")]
impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

/// A private key that was found to fit an RSA algorithm.
#[cfg(feature = "sign")]
pub(crate) struct RsaSigner {
    key: PrivateKey,
    hash: SigningHash,
}

#[cfg(feature = "sign")]
enum SigningHash {
    Sha512,
    #[cfg(feature = "legacy-md5")]
    LegacyMd5,
}

#[cfg(feature = "sign")]
impl RsaSigner {
    /// `None` where the algorithm is not RSA.
    pub(crate) fn new(algorithm: Algorithm, key: PrivateKey) -> Option<Result<Self, BuildError>> {
        let (hash, least) = match algorithm {
            Algorithm::RsaPkcs1Sha512 { least_modulus_bits } => (SigningHash::Sha512, least_modulus_bits),
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 { least_modulus_bits } => {
                (SigningHash::LegacyMd5, least_modulus_bits)
            }
            Algorithm::HmacSha256 => return None,
        };
        let bits = rsa_legacy::traits::PublicKeyParts::n(key.0.as_ref()).bits();
        Some(check_modulus(crate::sign::SIGNING_KEY, bits, least).map(|()| Self { key, hash }))
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        use rsa_legacy::{Pkcs1v15Sign, sha2::Sha512};

        let signed = match self.hash {
            SigningHash::Sha512 => self
                .key
                .0
                .sign(Pkcs1v15Sign::new::<Sha512>(), &hashed::<Sha512>(parts)),
            #[cfg(feature = "legacy-md5")]
            SigningHash::LegacyMd5 => self
                .key
                .0
                .sign(Pkcs1v15Sign::new::<md5::Md5>(), &hashed::<md5::Md5>(parts)),
        };
        #[expect(
            clippy::expect_used,
            reason = "the modulus was found to be large enough, and the digest's size is fixed"
        )]
        signed.expect("a modulus of 1024 bits holds every digest")
    }
}

#[cfg(feature = "sign")]
fn hashed<D: rsa_legacy::sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}
