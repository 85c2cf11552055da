//! RSA and ECDSA.
//!
//! They go through aws-lc-rs, on a key that is parsed once and a digest that is taken as the body arrives. No safe
//! interface of aws-lc-rs or ring offers MD5, so it goes through the `rsa` crate, behind the feature `legacy-md5`. That
//! crate carries RUSTSEC-2023-0071, a timing leak of private keys; verifying uses none.

use std::{ops::RangeInclusive, sync::Arc};

use aws_lc_rs::{digest, signature};

use crate::{
    error::BuildError,
    keys::{
        algorithm::Algorithm,
        key::Key,
        public_key::{Form, parse},
        ring::{Comparison, Computed, KeyRing, KeyRules, MOST_KEYS, Running},
    },
    wire::encoding::SignatureBytes,
};

pub(crate) struct Ring {
    keys: Arc<[ParsedKey]>,
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

/// The lengths in bytes of two P-256 numbers in DER.
const ECDSA_DER: RangeInclusive<usize> = 8..=72;

impl Ring {
    pub(crate) fn new(rules: &KeyRules<'_>, keys: &[Key]) -> Result<Self, BuildError> {
        let keys = keys.iter().map(|key| ParsedKey::new(rules, key)).collect::<Result<_, _>>()?;
        let hash = match rules.algorithm {
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 => Hash::LegacyMd5,
            Algorithm::RsaPkcs1Sha512 => Hash::Sha512,
            _ => Hash::Sha256,
        };
        Ok(Self { keys, hash })
    }
}

impl KeyRing for Ring {
    fn signature_lengths(&self) -> Vec<RangeInclusive<usize>> {
        let mut lengths: Vec<_> = self.keys.iter().map(ParsedKey::signature_lengths).collect();
        lengths.sort_unstable_by_key(|range| *range.start());
        lengths.dedup();
        lengths
    }

    fn verifications(&self) -> usize {
        self.keys.len()
    }

    fn start(&self, _: &[SignatureBytes]) -> Box<dyn Running> {
        let context = match self.hash {
            Hash::Sha256 => Context::AwsLc(digest::Context::new(&digest::SHA256)),
            Hash::Sha512 => Context::AwsLc(digest::Context::new(&digest::SHA512)),
            #[cfg(feature = "legacy-md5")]
            Hash::LegacyMd5 => Context::LegacyMd5(md5::Md5::default(), digest::Context::new(&digest::SHA256)),
        };
        Box::new(Hashing { keys: self.keys.clone(), context })
    }
}

impl ParsedKey {
    fn new(rules: &KeyRules<'_>, key: &Key) -> Result<Self, BuildError> {
        let does_not_fit = || rules.does_not_fit(&key.id);
        let public = key.material.public_key().ok_or_else(does_not_fit)?;
        let aws_lc = |lengths| {
            let key = parse(rules.algorithm, &public.der).ok_or_else(does_not_fit)?;
            Ok(Self::AwsLc { key, lengths })
        };
        match (rules.algorithm, &public.form) {
            #[cfg(feature = "legacy-md5")]
            (Algorithm::LegacyRsaPkcs1Md5, Form::Rsa { modulus_bits }) => {
                rules.check_modulus(&key.id, *modulus_bits)?;
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
                rules.check_modulus(&key.id, *modulus_bits)?;
                aws_lc(exactly(modulus_bits.div_ceil(8)))
            }
            (Algorithm::EcdsaP256Sha256, Form::P256) => aws_lc(ECDSA_DER),
            (Algorithm::EcdsaP256Sha256Fixed, Form::P256) => aws_lc(exactly(64)),
            _ => Err(does_not_fit()),
        }
    }

    fn signature_lengths(&self) -> RangeInclusive<usize> {
        match self {
            Self::AwsLc { lengths, .. } => lengths.clone(),
            #[cfg(feature = "legacy-md5")]
            Self::LegacyMd5(key) => exactly(rsa_legacy::traits::PublicKeyParts::size(key)),
        }
    }

    fn made(&self, signature: &SignatureBytes, digest: &Digest) -> bool {
        match (self, digest) {
            (Self::AwsLc { key, .. }, Digest::AwsLc(digest)) => {
                key.verify_digest_sig(digest, signature).is_ok()
            }
            #[cfg(feature = "legacy-md5")]
            (Self::LegacyMd5(key), Digest::LegacyMd5(digest, _)) => {
                key.verify(rsa_legacy::Pkcs1v15Sign::new::<md5::Md5>(), digest, signature).is_ok()
            }
            #[cfg(feature = "legacy-md5")]
            (Self::AwsLc { .. }, Digest::LegacyMd5(..)) | (Self::LegacyMd5(_), Digest::AwsLc(_)) => false,
        }
    }
}

/// One hash of the content, whatever the number of keys.
struct Hashing {
    keys: Arc<[ParsedKey]>,
    context: Context,
}

enum Context {
    AwsLc(digest::Context),
    /// With a second hash for the fingerprint: bodies that collide under MD5 must not share one.
    #[cfg(feature = "legacy-md5")]
    LegacyMd5(md5::Md5, digest::Context),
}

enum Digest {
    AwsLc(digest::Digest),
    #[cfg(feature = "legacy-md5")]
    LegacyMd5([u8; 16], digest::Digest),
}

impl Running for Hashing {
    fn update(&mut self, bytes: &[u8]) {
        match &mut self.context {
            Context::AwsLc(context) => context.update(bytes),
            #[cfg(feature = "legacy-md5")]
            Context::LegacyMd5(state, context) => {
                md5::Digest::update(state, bytes);
                context.update(bytes);
            }
        }
    }

    /// Nothing here is secret, so the comparison need not hide anything in its timing.
    fn finish(self: Box<Self>, claimed: &[SignatureBytes]) -> Comparison {
        let digest = self.context.finish();
        let mut made_by_key = [false; MOST_KEYS];
        for (made, key) in made_by_key.iter_mut().zip(&*self.keys) {
            *made = claimed.iter().any(|signature| key.made(signature, &digest));
        }
        Comparison { made_by_key, computed: Computed::new(digest.as_bytes()) }
    }
}

impl Context {
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
