//! RSA and ECDSA verification: the only file that names their libraries.
//!
//! They go through aws-lc-rs, on a key parsed once and a digest taken as the body arrives. MD5 is in no safe
//! interface of aws-lc-rs or ring, so it goes through the `rsa` crate, behind the feature `legacy-md5`. That crate
//! carries RUSTSEC-2023-0071, a timing leak of private keys: verifying has none.

use std::ops::RangeInclusive;

use aws_lc_rs::{digest, signature};

use super::{Algorithm, Comparison, GREATEST_MODULUS_BITS, MOST_KEYS};
use crate::{
    error::BuildError, key::Key, public_key::Form, scheme::Scheme, signature::Claimed, verification::Computed,
};

pub(crate) struct KeyRing {
    keys: Vec<ParsedKey>,
    hash: Hash,
}

/// A public key, parsed for the library that verifies with it.
enum ParsedKey {
    AwsLc {
        key: signature::ParsedPublicKey,
        lengths: RangeInclusive<usize>,
    },
    #[cfg(feature = "legacy-md5")]
    LegacyMd5(rsa_legacy::RsaPublicKey),
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha512,
    #[cfg(feature = "legacy-md5")]
    LegacyMd5,
}

/// One delivery's hashing, whatever the number of keys.
pub(crate) enum Running {
    AwsLc(digest::Context),
    /// With a hash for the fingerprint, which colliding bodies do not share.
    #[cfg(feature = "legacy-md5")]
    LegacyMd5(md5::Md5, digest::Context),
}

enum Digest {
    AwsLc(digest::Digest),
    #[cfg(feature = "legacy-md5")]
    LegacyMd5([u8; 16], digest::Digest),
}

/// The lengths in bytes of two numbers of P-256 in DER.
const ECDSA_DER: RangeInclusive<usize> = 8..=72;

/// What a key of this form is to the library, under this algorithm.
pub(crate) fn parse(algorithm: Algorithm, der: &[u8]) -> Option<signature::ParsedPublicKey> {
    let library: &'static dyn signature::VerificationAlgorithm = match algorithm {
        // The names warn of 1024 bits, which the scheme's own minimum decides about.
        Algorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP256Sha256Fixed => &signature::ECDSA_P256_SHA256_FIXED,
        _ => return None,
    };
    signature::ParsedPublicKey::new(library, der).ok()
}

impl KeyRing {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        let keys = keys.iter().map(|key| ParsedKey::new(scheme, key)).collect::<Result<_, _>>()?;
        let hash = match scheme.algorithm {
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 => Hash::LegacyMd5,
            Algorithm::RsaPkcs1Sha512 => Hash::Sha512,
            _ => Hash::Sha256,
        };
        Ok(Self { keys, hash })
    }

    pub(crate) fn signature_lengths(&self) -> impl Iterator<Item = RangeInclusive<usize>> {
        self.keys.iter().map(|key| match key {
            ParsedKey::AwsLc { lengths, .. } => lengths.clone(),
            #[cfg(feature = "legacy-md5")]
            ParsedKey::LegacyMd5(key) => exactly(rsa_legacy::traits::PublicKeyParts::size(key)),
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn start(&self) -> Running {
        match self.hash {
            Hash::Sha256 => Running::AwsLc(digest::Context::new(&digest::SHA256)),
            Hash::Sha512 => Running::AwsLc(digest::Context::new(&digest::SHA512)),
            #[cfg(feature = "legacy-md5")]
            Hash::LegacyMd5 => Running::LegacyMd5(md5::Md5::default(), digest::Context::new(&digest::SHA256)),
        }
    }

    /// Nothing here is secret, so a pair that does not match costs only its own time.
    pub(crate) fn conclude(
        &self,
        mut running: Running,
        content: [&[u8]; 3],
        claimed: &[Claimed],
    ) -> Comparison {
        for part in content {
            running.update(part);
        }
        let digest = running.finish();
        let mut made_by_key = [false; MOST_KEYS];
        for (made, key) in made_by_key.iter_mut().zip(&self.keys) {
            *made = claimed.iter().any(|signature| key.check(&digest, signature).is_some());
        }
        Comparison { made_by_key, computed: Computed::new(digest.as_bytes()) }
    }
}

impl ParsedKey {
    fn new(scheme: &Scheme, key: &Key) -> Result<Self, BuildError> {
        let id = key.id.as_str();
        let does_not_fit = || scheme.does_not_take(id);
        let public = key.material.public_key().ok_or_else(does_not_fit)?;
        let aws_lc = |lengths| {
            let key = parse(scheme.algorithm, &public.der).ok_or_else(does_not_fit)?;
            Ok(Self::AwsLc { key, lengths })
        };
        match (scheme.algorithm, &public.form) {
            #[cfg(feature = "legacy-md5")]
            (Algorithm::LegacyRsaPkcs1Md5, Form::Rsa { modulus_bits }) => {
                check_modulus(scheme, id, *modulus_bits)?;
                rsa_legacy::pkcs8::DecodePublicKey::from_public_key_der(&public.der)
                    .map(Self::LegacyMd5)
                    .map_err(|_| BuildError::PublicKey {
                        reason: "its exponent is out of range for MD5withRSA",
                    })
            }
            (
                Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPkcs1Sha512 | Algorithm::RsaPssSha256,
                Form::Rsa { modulus_bits },
            ) => {
                check_modulus(scheme, id, *modulus_bits)?;
                aws_lc(exactly(modulus_bits.div_ceil(8)))
            }
            (Algorithm::EcdsaP256Sha256, Form::P256) => aws_lc(ECDSA_DER),
            (Algorithm::EcdsaP256Sha256Fixed, Form::P256) => aws_lc(exactly(64)),
            _ => Err(does_not_fit()),
        }
    }

    /// `Some` where the key made the signature.
    fn check(&self, digest: &Digest, signature: &Claimed) -> Option<()> {
        match (self, digest) {
            (Self::AwsLc { key, .. }, Digest::AwsLc(digest)) => key.verify_digest_sig(digest, signature).ok(),
            #[cfg(feature = "legacy-md5")]
            (Self::LegacyMd5(key), Digest::LegacyMd5(digest, _)) => {
                key.verify(rsa_legacy::Pkcs1v15Sign::new::<md5::Md5>(), digest, signature).ok()
            }
            #[cfg(feature = "legacy-md5")]
            (Self::AwsLc { .. }, Digest::LegacyMd5(..)) | (Self::LegacyMd5(_), Digest::AwsLc(_)) => None,
        }
    }
}

impl Running {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::AwsLc(context) => context.update(bytes),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(state, context) => {
                md5::Digest::update(state, bytes);
                context.update(bytes);
            }
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::AwsLc(context) => Digest::AwsLc(context.finish()),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(state, context) => {
                Digest::LegacyMd5(md5::Digest::finalize(state).into(), context.finish())
            }
        }
    }
}

impl Digest {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::AwsLc(digest) => digest.as_ref(),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(_, digest) => digest.as_ref(),
        }
    }
}

fn exactly(length: usize) -> RangeInclusive<usize> {
    length..=length
}

pub(crate) fn check_modulus(scheme: &Scheme, key: &str, bits: usize) -> Result<(), BuildError> {
    let (least, greatest) = (scheme.least_modulus_bits, GREATEST_MODULUS_BITS);
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
