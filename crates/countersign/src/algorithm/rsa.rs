//! RSA PKCS#1 v1.5 verification: the only file that names an RSA library.
//!
//! SHA-512 goes through aws-lc-rs, on a key parsed once and a digest taken as the body arrives. MD5 is in no safe
//! interface of aws-lc-rs or ring, so it goes through the `rsa` crate, behind the feature `legacy-md5`. That crate
//! carries RUSTSEC-2023-0071, a timing leak of private keys: verifying has none.

use aws_lc_rs::{digest, signature};

#[cfg(feature = "sign")]
use super::Algorithm;
use super::{Comparison, MOST_KEYS};
use crate::{error::BuildError, key::Key, scheme::Scheme, signature::Claimed, verification::Fingerprint};

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

/// An RSA public key, parsed once for each library.
#[derive(Clone)]
pub(crate) struct ParsedKey {
    key: signature::ParsedPublicKey,
    modulus_bytes: usize,
    #[cfg(feature = "legacy-md5")]
    legacy: Option<rsa_legacy::RsaPublicKey>,
}

impl ParsedKey {
    /// From the DER of a `SubjectPublicKeyInfo` whose modulus has `modulus_bits`.
    pub(crate) fn new(der: &[u8], modulus_bits: usize) -> Option<Self> {
        // The name warns of 1024 bits, which the scheme's own minimum decides about.
        let algorithm = &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY;
        Some(Self {
            key: signature::ParsedPublicKey::new(algorithm, der).ok()?,
            modulus_bytes: modulus_bits.div_ceil(8),
            #[cfg(feature = "legacy-md5")]
            legacy: rsa_legacy::pkcs8::DecodePublicKey::from_public_key_der(der).ok(),
        })
    }
}

impl KeyRing {
    pub(crate) fn sha512(
        scheme: &Scheme,
        keys: &[Key],
        least_modulus_bits: usize,
    ) -> Result<Self, BuildError> {
        parsed(scheme, keys, least_modulus_bits, |key| Some(key.clone())).map(Self::Sha512)
    }

    #[cfg(feature = "legacy-md5")]
    pub(crate) fn legacy_md5(
        scheme: &Scheme,
        keys: &[Key],
        least_modulus_bits: usize,
    ) -> Result<Self, BuildError> {
        parsed(scheme, keys, least_modulus_bits, |key| key.legacy.clone()).map(Self::LegacyMd5)
    }

    pub(crate) fn signature_lengths(&self) -> Vec<usize> {
        let mut lengths: Vec<usize> = match self {
            Self::Sha512(keys) => keys.iter().map(|key| key.modulus_bytes).collect(),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(keys) => keys.iter().map(rsa_legacy::traits::PublicKeyParts::size).collect(),
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
    pub(crate) fn compare(&self, finished: &Finished, claimed: &[Claimed]) -> Comparison {
        let mut comparison = finished.unmatched();
        for (place, made) in comparison.made_by_key.iter_mut().enumerate() {
            *made = claimed.iter().any(|signature| self.check(place, finished, signature).is_some());
        }
        comparison
    }

    /// `Some` where the key in this place made the signature.
    fn check(&self, place: usize, finished: &Finished, signature: &Claimed) -> Option<()> {
        match (self, finished) {
            (Self::Sha512(keys), Finished::Sha512(digest)) => {
                keys.get(place)?.key.verify_digest_sig(digest, signature).ok()
            }
            #[cfg(feature = "legacy-md5")]
            (Self::LegacyMd5(keys), Finished::LegacyMd5(digest)) => {
                keys.get(place)?.verify(rsa_legacy::Pkcs1v15Sign::new::<md5::Md5>(), digest, signature).ok()
            }
            #[cfg(feature = "legacy-md5")]
            (Self::Sha512(_), Finished::LegacyMd5(_)) | (Self::LegacyMd5(_), Finished::Sha512(_)) => None,
        }
    }
}

impl Finished {
    pub(crate) fn unmatched(&self) -> Comparison {
        let digest = match self {
            Self::Sha512(digest) => digest.as_ref(),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(digest) => digest,
        };
        Comparison { made_by_key: [false; MOST_KEYS], fingerprint: Fingerprint::of(digest) }
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

/// What each key's public key is for a library, where it has one of an allowed size.
fn parsed<T>(
    scheme: &Scheme,
    keys: &[Key],
    least_modulus_bits: usize,
    of_library: fn(&ParsedKey) -> Option<T>,
) -> Result<Vec<T>, BuildError> {
    let parse = |key: &Key| {
        let id = key.id.as_str();
        let public =
            key.material.public_key().ok_or_else(|| scheme.does_not_take(id, "an RSA public key"))?;
        check_modulus(scheme, id, public.modulus_bits, least_modulus_bits)?;
        of_library(&public.parsed)
            .ok_or(BuildError::PublicKey { reason: "its exponent is out of range for MD5withRSA" })
    };
    keys.iter().map(parse).collect()
}

fn check_modulus(scheme: &Scheme, key: &str, bits: usize, least: usize) -> Result<(), BuildError> {
    let greatest = GREATEST_MODULUS_BITS;
    if (least..=greatest).contains(&bits) {
        return Ok(());
    }
    Err(BuildError::ModulusSize {
        key: key.to_owned(),
        scheme: scheme.name().to_owned(),
        bits,
        least,
        greatest,
    })
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
            .ok_or(BuildError::PrivateKey { reason: "it is not unencrypted PKCS#8 or PKCS#1 PEM" })
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
    pub(crate) fn new(scheme: &Scheme, key: PrivateKey) -> Option<Result<Self, BuildError>> {
        let (hash, least) = match scheme.algorithm {
            Algorithm::RsaPkcs1Sha512 { least_modulus_bits } => (SigningHash::Sha512, least_modulus_bits),
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 { least_modulus_bits } => {
                (SigningHash::LegacyMd5, least_modulus_bits)
            }
            Algorithm::HmacSha256 => return None,
        };
        let bits = rsa_legacy::traits::PublicKeyParts::n(key.0.as_ref()).bits();
        Some(check_modulus(scheme, crate::sign::SIGNING_KEY, bits, least).map(|()| Self { key, hash }))
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        use rsa_legacy::{Pkcs1v15Sign, sha2::Sha512};

        let signed = match self.hash {
            SigningHash::Sha512 => self.key.0.sign(Pkcs1v15Sign::new::<Sha512>(), &hashed::<Sha512>(parts)),
            #[cfg(feature = "legacy-md5")]
            SigningHash::LegacyMd5 => {
                self.key.0.sign(Pkcs1v15Sign::new::<md5::Md5>(), &hashed::<md5::Md5>(parts))
            }
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
