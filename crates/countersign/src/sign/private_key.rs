use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        RSA_PSS_SHA256, RsaKeyPair,
    },
};
use rsa_legacy::{
    Pkcs1v15Sign, RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey,
    pkcs8::DecodePrivateKey,
    sha2::{Digest, Sha256, Sha512},
    traits::PublicKeyParts,
};
use zeroize::Zeroizing;

use crate::{
    error::BuildError,
    keys::{algorithm::Algorithm, key::KeyId, ring::KeyRules},
};

/// An RSA, P-256 or Ed25519 private key, for a [`Signer`](crate::Signer) (features `sign` and `public-key`).
///
/// It is wiped from memory when dropped, and redacted in `Debug`.
pub struct PrivateKey {
    document: Zeroizing<Vec<u8>>,
    rsa: Option<Box<RsaPrivateKey>>,
}

impl PrivateKey {
    /// Reads PEM: `-----BEGIN PRIVATE KEY-----` (PKCS#8) or, for RSA, `-----BEGIN RSA PRIVATE KEY-----` (PKCS#1).
    ///
    /// # Errors
    /// [`BuildError::PrivateKey`] for any other text, an encrypted key, and a key of another algorithm.
    pub fn from_pem(pem: &str) -> Result<Self, BuildError> {
        let refused = || BuildError::PrivateKey { reason: "it is not unencrypted PKCS#8 or PKCS#1 PEM" };
        let parsed = pem::parse(pem).map_err(|_| refused())?;
        let document = Zeroizing::new(parsed.into_contents());
        let rsa = RsaPrivateKey::from_pkcs8_der(&document).ok();
        let rsa = rsa.or_else(|| RsaPrivateKey::from_pkcs1_der(&document).ok()).map(Box::new);
        let other = || {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &document).is_ok()
                || Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).is_ok()
        };
        if rsa.is_some() || other() { Ok(Self { document, rsa }) } else { Err(refused()) }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

/// A private key that fits the scheme.
pub(super) enum PrivateSigner {
    RsaPkcs1Sha256(Box<RsaPrivateKey>),
    RsaPkcs1Sha512(Box<RsaPrivateKey>),
    #[cfg(feature = "legacy-md5")]
    LegacyRsaPkcs1Md5(Box<RsaPrivateKey>),
    RsaPssSha256(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateSigner {
    pub(super) fn new(rules: &KeyRules<'_>, id: &KeyId, key: PrivateKey) -> Result<Self, BuildError> {
        let does_not_fit = || rules.does_not_fit(id);
        let PrivateKey { document, rsa } = key;
        let rsa = || {
            let key = rsa.ok_or_else(does_not_fit)?;
            rules.check_modulus(id, key.n().bits())?;
            Ok(key)
        };
        let ecdsa = |algorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, &document).map(Self::Ecdsa).map_err(|_| does_not_fit())
        };
        match rules.algorithm {
            Algorithm::RsaPkcs1Sha256 => rsa().map(Self::RsaPkcs1Sha256),
            Algorithm::RsaPkcs1Sha512 => rsa().map(Self::RsaPkcs1Sha512),
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 => rsa().map(Self::LegacyRsaPkcs1Md5),
            Algorithm::RsaPssSha256 => {
                let key = RsaKeyPair::from_pkcs8(&document).or_else(|_| RsaKeyPair::from_der(&document));
                key.map(Self::RsaPssSha256).map_err(|_| does_not_fit())
            }
            Algorithm::EcdsaP256Sha256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Algorithm::EcdsaP256Sha256Fixed => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document)
                .map(Self::Ed25519)
                .map_err(|_| does_not_fit()),
            _ => Err(does_not_fit()),
        }
    }

    pub(super) fn sign(&self, content: &[u8]) -> Vec<u8> {
        let signature = match self {
            Self::RsaPkcs1Sha256(key) => {
                key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(content)).ok()
            }
            Self::RsaPkcs1Sha512(key) => {
                key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(content)).ok()
            }
            #[cfg(feature = "legacy-md5")]
            Self::LegacyRsaPkcs1Md5(key) => {
                key.sign(Pkcs1v15Sign::new::<md5::Md5>(), &md5::Md5::digest(content)).ok()
            }
            Self::RsaPssSha256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let signed = key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), content, &mut signature);
                signed.ok().map(|()| signature)
            }
            Self::Ecdsa(key) => {
                key.sign(&SystemRandom::new(), content).ok().map(|made| made.as_ref().to_vec())
            }
            Self::Ed25519(key) => Some(key.sign(content).as_ref().to_vec()),
        };
        #[expect(clippy::expect_used, reason = "the key fits the scheme, and every digest has a fixed size")]
        signature.expect("a key that fits signs")
    }
}
