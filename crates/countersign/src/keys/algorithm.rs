//! The signature algorithms, by name.

use std::fmt;

/// Limit on the RSA modulus, in bits: a larger one only makes each delivery more expensive.
pub(crate) const GREATEST_MODULUS_BITS: usize = 4096;

/// A signature algorithm. A scheme fixes its own; nothing in a request chooses one.
///
/// Algorithms with public keys need the feature `public-key`, and MD5 needs `legacy-md5`: a verifier does not build
/// without it. A delivery whose listed signatures and the verifier's public keys form more than 8 pairs is rejected,
/// because each pair costs a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256, [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104).
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
    /// HMAC with SHA-1. SHA-1 is broken; its HMAC is not known to be, but do not choose it for anything new.
    LegacyHmacSha1,
    /// RSA PKCS#1 v1.5 with SHA-256, [RFC 8017 §8.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2):
    /// `SHA256withRSA`.
    RsaPkcs1Sha256,
    /// RSA PKCS#1 v1.5 with SHA-512: `SHA512withRSA`.
    RsaPkcs1Sha512,
    /// RSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes,
    /// [RFC 8017 §8.1](https://www.rfc-editor.org/rfc/rfc8017#section-8.1): `PS256`.
    RsaPssSha256,
    /// RSA PKCS#1 v1.5 with MD5, which is broken: `MD5withRSA`.
    LegacyRsaPkcs1Md5,
    /// ECDSA on P-256 with SHA-256, [FIPS 186-5](https://csrc.nist.gov/pubs/fips/186-5/final), the signature in DER.
    EcdsaP256Sha256,
    /// ECDSA on P-256 with SHA-256, the signature as two numbers of 32 bytes each: `ES256`.
    EcdsaP256Sha256Fixed,
    /// Ed25519, [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032).
    ///
    /// Each pair of a key and a listed signature costs a pass over the body.
    Ed25519,
    /// No signature, but a fixed token that the sender adds to each request: see
    /// [`Scheme::unsigned_token`](crate::Scheme::unsigned_token).
    UnsignedToken,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::HmacSha256,
        Self::HmacSha384,
        Self::HmacSha512,
        Self::LegacyHmacSha1,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::LegacyRsaPkcs1Md5,
        Self::EcdsaP256Sha256,
        Self::EcdsaP256Sha256Fixed,
        Self::Ed25519,
        Self::UnsignedToken,
    ];

    /// The algorithm's name in a configuration, such as `hmac-sha256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
            Self::LegacyHmacSha1 => "legacy-hmac-sha1",
            Self::RsaPkcs1Sha256 => "rsa-pkcs1-sha256",
            Self::RsaPkcs1Sha512 => "rsa-pkcs1-sha512",
            Self::RsaPssSha256 => "rsa-pss-sha256",
            Self::LegacyRsaPkcs1Md5 => "legacy-rsa-pkcs1-md5",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP256Sha256Fixed => "ecdsa-p256-sha256-fixed",
            Self::Ed25519 => "ed25519",
            Self::UnsignedToken => "unsigned-token",
        }
    }

    /// Whether it signs anything at all.
    pub(crate) fn signs(self) -> bool {
        self != Self::UnsignedToken
    }

    /// The key it needs, in words.
    pub(crate) fn needs(self) -> &'static str {
        match self {
            Self::HmacSha256
            | Self::HmacSha384
            | Self::HmacSha512
            | Self::LegacyHmacSha1
            | Self::UnsignedToken => "a secret",
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha512 | Self::RsaPssSha256 | Self::LegacyRsaPkcs1Md5 => {
                "an RSA key"
            }
            Self::EcdsaP256Sha256 | Self::EcdsaP256Sha256Fixed => "a P-256 key",
            Self::Ed25519 => "an Ed25519 key",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha384 => "HMAC-SHA384",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::LegacyHmacSha1 => "HMAC-SHA1",
            Self::RsaPkcs1Sha256 => "RSA PKCS#1 v1.5 with SHA-256",
            Self::RsaPkcs1Sha512 => "RSA PKCS#1 v1.5 with SHA-512",
            Self::RsaPssSha256 => "RSA-PSS with SHA-256",
            Self::LegacyRsaPkcs1Md5 => "RSA PKCS#1 v1.5 with MD5",
            Self::EcdsaP256Sha256 | Self::EcdsaP256Sha256Fixed => "ECDSA P-256 with SHA-256",
            Self::Ed25519 => "Ed25519",
            Self::UnsignedToken => "a static token",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_every_algorithm_once_in_declaration_order() {
        let places: Vec<usize> = Algorithm::ALL.iter().map(|algorithm| *algorithm as usize).collect();
        let every: Vec<usize> = (0..=Algorithm::UnsignedToken as usize).collect();
        assert_eq!(places, every);
    }

    #[test]
    fn each_algorithm_is_shown_by_a_name_of_its_own_but_the_two_forms_of_ecdsa() {
        let shown = |algorithm: &Algorithm| algorithm.to_string();
        assert_eq!(shown(&Algorithm::HmacSha256), "HMAC-SHA256");
        let names: std::collections::BTreeSet<String> = Algorithm::ALL.iter().map(shown).collect();
        assert_eq!(names.len(), Algorithm::ALL.len() - 1);
    }
}
