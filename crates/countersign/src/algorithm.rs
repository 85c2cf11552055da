//! The algorithms: keys made ready, their running states, and the comparison.

#[cfg(feature = "public-key")]
pub(crate) mod ed25519;
pub(crate) mod hmac;
#[cfg(feature = "public-key")]
pub(crate) mod public;
pub(crate) mod token;

use std::{
    fmt,
    ops::{BitOr, RangeInclusive},
};

use constant_time_eq::constant_time_eq;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use self::{hmac::Keyed, token::Tokens};
use crate::{error::BuildError, key::Key, scheme::Scheme, signature::Claimed, verification::Computed};

/// The most keys of one verifier: each secret costs a pass over the body of every delivery.
pub(crate) const MOST_KEYS: usize = 8;

/// The greatest RSA modulus that any scheme takes, in bits: a larger one only makes each delivery dearer.
pub(crate) const GREATEST_MODULUS_BITS: usize = 4096;

macro_rules! algorithms {
    ($($(#[$doc:meta])* $algorithm:ident = $name:literal, $display:literal, $needs:ident;)*) => {
        /// A signature algorithm. A scheme pins its own; nothing in a request chooses one.
        ///
        /// Those that sign with a private key need the feature `public-key`, and MD5 the feature `legacy-md5`: without it a
        /// verifier does not build. With them, a delivery whose listed signatures and the verifier's keys make more than 8 pairs
        /// is rejected, since each costs a verification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Algorithm {
            $($(#[$doc])* $algorithm,)*
        }

        impl Algorithm {
            /// Every algorithm.
            pub const ALL: &'static [Self] = &[$(Self::$algorithm),*];

            /// The name that a configuration gives it: `hmac-sha256`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$algorithm => $name,)* }
            }

            fn display(self) -> &'static str {
                match self { $(Self::$algorithm => $display,)* }
            }

            fn key_kind(self) -> KeyKind {
                match self { $(Self::$algorithm => KeyKind::$needs,)* }
            }
        }
    };
}

algorithms! {
    /// HMAC with SHA-256, [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104).
    HmacSha256 = "hmac-sha256", "HMAC-SHA256", Secret;
    /// HMAC with SHA-384.
    HmacSha384 = "hmac-sha384", "HMAC-SHA384", Secret;
    /// HMAC with SHA-512.
    HmacSha512 = "hmac-sha512", "HMAC-SHA512", Secret;
    /// HMAC with SHA-1. SHA-1 is broken; its HMAC is not known to be, and has no reason to be chosen anew.
    LegacyHmacSha1 = "legacy-hmac-sha1", "HMAC-SHA1", Secret;
    /// RSA PKCS#1 v1.5 with SHA-256, [RFC 8017 §8.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2):
    /// `SHA256withRSA`.
    RsaPkcs1Sha256 = "rsa-pkcs1-sha256", "RSA PKCS#1 v1.5 with SHA-256", Rsa;
    /// RSA PKCS#1 v1.5 with SHA-512: `SHA512withRSA`.
    RsaPkcs1Sha512 = "rsa-pkcs1-sha512", "RSA PKCS#1 v1.5 with SHA-512", Rsa;
    /// RSA-PSS with SHA-256, its mask and a salt of 32 bytes,
    /// [RFC 8017 §8.1](https://www.rfc-editor.org/rfc/rfc8017#section-8.1): `PS256`.
    RsaPssSha256 = "rsa-pss-sha256", "RSA-PSS with SHA-256", Rsa;
    /// RSA PKCS#1 v1.5 with MD5, which is broken: `MD5withRSA`.
    LegacyRsaPkcs1Md5 = "legacy-rsa-pkcs1-md5", "RSA PKCS#1 v1.5 with MD5", Rsa;
    /// ECDSA on P-256 with SHA-256, [FIPS 186-5](https://csrc.nist.gov/pubs/fips/186-5/final), the signature in DER.
    EcdsaP256Sha256 = "ecdsa-p256-sha256", "ECDSA P-256 with SHA-256", P256;
    /// ECDSA on P-256 with SHA-256, the signature as two numbers of 32 bytes each: `ES256`.
    EcdsaP256Sha256Fixed = "ecdsa-p256-sha256-fixed", "ECDSA P-256 with SHA-256", P256;
    /// Ed25519, [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032).
    ///
    /// Each pair of a key and a listed signature costs a pass over the body.
    Ed25519 = "ed25519", "Ed25519", Ed25519;
    /// No signature, but a fixed token that the sender sends along: see [`Scheme::unsigned_token`].
    UnsignedToken = "unsigned-token", "a static token", Secret;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Secret,
    Rsa,
    P256,
    Ed25519,
}

impl Algorithm {
    /// Whether it signs anything at all.
    pub(crate) fn signs(self) -> bool {
        self != Self::UnsignedToken
    }

    /// What key it needs, in words.
    pub(crate) fn needs(self) -> &'static str {
        match self.key_kind() {
            KeyKind::Secret => "a secret",
            KeyKind::Rsa => "an RSA key",
            KeyKind::P256 => "a P-256 key",
            KeyKind::Ed25519 => "an Ed25519 key",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display())
    }
}

pub(crate) type Hmac<D> = ::hmac::Hmac<D>;

/// The keys of one verifier, made ready once: an HMAC's key schedule is kept, a public key is parsed.
pub(crate) enum KeyRing {
    HmacSha1(Keyed<Hmac<Sha1>>),
    HmacSha256(Keyed<Hmac<Sha256>>),
    HmacSha384(Keyed<Hmac<Sha384>>),
    HmacSha512(Keyed<Hmac<Sha512>>),
    Tokens(Tokens),
    #[cfg(feature = "public-key")]
    Public(public::KeyRing),
    #[cfg(feature = "public-key")]
    Ed25519(ed25519::KeyRing),
}

/// One delivery's hashing, for every key of the ring in step: where it goes on for longer than a call, it is kept apart from
/// what is moved about.
pub(crate) enum Running {
    HmacSha1(Box<Keyed<Hmac<Sha1>>>),
    HmacSha256(Box<Keyed<Hmac<Sha256>>>),
    HmacSha384(Box<Keyed<Hmac<Sha384>>>),
    HmacSha512(Box<Keyed<Hmac<Sha512>>>),
    /// Of what no signature covers.
    Unsigned(Box<Sha256>),
    #[cfg(feature = "public-key")]
    Public(Box<public::Running>),
    #[cfg(feature = "public-key")]
    Ed25519(Box<ed25519::Running>),
}

/// What came of comparing the computed signatures with the claimed ones.
pub(crate) struct Comparison {
    /// Which keys made one of the claimed signatures, by their place in the ring.
    pub(crate) made_by_key: [bool; MOST_KEYS],
    /// What the fingerprint is made of, when somebody asks for it.
    pub(crate) computed: Computed,
}

impl KeyRing {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        match scheme.algorithm {
            Algorithm::HmacSha256 => Keyed::new(scheme, keys).map(Self::HmacSha256),
            Algorithm::HmacSha384 => Keyed::new(scheme, keys).map(Self::HmacSha384),
            Algorithm::HmacSha512 => Keyed::new(scheme, keys).map(Self::HmacSha512),
            Algorithm::LegacyHmacSha1 => Keyed::new(scheme, keys).map(Self::HmacSha1),
            Algorithm::UnsignedToken => Tokens::new(scheme, keys).map(Self::Tokens),
            #[cfg(feature = "public-key")]
            Algorithm::Ed25519 => ed25519::KeyRing::new(scheme, keys).map(Self::Ed25519),
            #[cfg(feature = "public-key")]
            Algorithm::RsaPkcs1Sha256
            | Algorithm::RsaPkcs1Sha512
            | Algorithm::RsaPssSha256
            | Algorithm::EcdsaP256Sha256
            | Algorithm::EcdsaP256Sha256Fixed => public::KeyRing::new(scheme, keys).map(Self::Public),
            #[cfg(feature = "legacy-md5")]
            Algorithm::LegacyRsaPkcs1Md5 => public::KeyRing::new(scheme, keys).map(Self::Public),
            #[cfg(not(feature = "legacy-md5"))]
            Algorithm::LegacyRsaPkcs1Md5 => {
                Err(scheme.mistake("algorithm", "it needs the feature `legacy-md5`"))
            }
            #[cfg(not(feature = "public-key"))]
            _ => Err(scheme.mistake("algorithm", "it needs the feature `public-key`")),
        }
    }

    /// The lengths in bytes of the signatures that the keys could have made.
    pub(crate) fn signature_lengths(&self) -> Vec<RangeInclusive<usize>> {
        match self {
            Self::HmacSha1(_) => vec![20..=20],
            Self::HmacSha256(_) => vec![32..=32],
            Self::HmacSha384(_) => vec![48..=48],
            Self::HmacSha512(_) => vec![64..=64],
            Self::Tokens(_) => vec![1..=usize::MAX],
            #[cfg(feature = "public-key")]
            Self::Public(ring) => {
                let mut lengths: Vec<_> = ring.signature_lengths().collect();
                lengths.sort_unstable_by_key(|range| *range.start());
                lengths.dedup();
                lengths
            }
            #[cfg(feature = "public-key")]
            Self::Ed25519(_) => vec![64..=64],
        }
    }

    /// How many verifications each claimed signature costs: under an HMAC none, since it is only compared.
    pub(crate) fn verifications(&self) -> usize {
        match self {
            #[cfg(feature = "public-key")]
            Self::Public(ring) => ring.count(),
            #[cfg(feature = "public-key")]
            Self::Ed25519(ring) => ring.count(),
            _ => 0,
        }
    }

    /// Starts hashing for these signatures.
    #[cfg_attr(
        not(feature = "public-key"),
        expect(unused_variables, reason = "only Ed25519 hashes the signature")
    )]
    pub(crate) fn start(&self, claimed: &[Claimed]) -> Running {
        match self {
            Self::HmacSha1(keyed) => Running::HmacSha1(Box::new(keyed.start())),
            Self::HmacSha256(keyed) => Running::HmacSha256(Box::new(keyed.start())),
            Self::HmacSha384(keyed) => Running::HmacSha384(Box::new(keyed.start())),
            Self::HmacSha512(keyed) => Running::HmacSha512(Box::new(keyed.start())),
            Self::Tokens(_) => Running::Unsigned(Box::new(Sha256::new())),
            #[cfg(feature = "public-key")]
            Self::Public(ring) => Running::Public(Box::new(ring.start())),
            #[cfg(feature = "public-key")]
            Self::Ed25519(ring) => Running::Ed25519(Box::new(ring.start(claimed))),
        }
    }

    /// Hashes the rest of the content, or all of it where nothing was started, and compares what is computed with every
    /// claimed signature.
    pub(crate) fn conclude(
        &self,
        running: Option<Running>,
        content: [&[u8]; 3],
        claimed: &[Claimed],
    ) -> Comparison {
        // A ring resumes what it has started: nothing else is of its kind. It is wiped where it lies.
        macro_rules! keyed {
            ($kind:ident, $fresh:expr) => {
                match &running {
                    Some(Running::$kind(running)) => running.conclude(content, claimed),
                    Some(_) | None => $fresh.conclude(content, claimed),
                }
            };
        }
        match self {
            Self::HmacSha1(fresh) => keyed!(HmacSha1, fresh),
            Self::HmacSha256(fresh) => keyed!(HmacSha256, fresh),
            Self::HmacSha384(fresh) => keyed!(HmacSha384, fresh),
            Self::HmacSha512(fresh) => keyed!(HmacSha512, fresh),
            Self::Tokens(tokens) => {
                let body = match running {
                    Some(Running::Unsigned(running)) => *running,
                    Some(_) | None => Sha256::new(),
                };
                tokens.conclude(body, content, claimed)
            }
            #[cfg(feature = "public-key")]
            Self::Public(ring) => {
                let running = match running {
                    Some(Running::Public(running)) => *running,
                    Some(_) | None => ring.start(),
                };
                ring.conclude(running, content, claimed)
            }
            #[cfg(feature = "public-key")]
            Self::Ed25519(ring) => {
                let running = match running {
                    Some(Running::Ed25519(running)) => *running,
                    Some(_) | None => ring.start(claimed),
                };
                running.conclude(content)
            }
        }
    }
}

/// Whether one of the claimed signatures is the computed one, in a time that depends on neither's content.
fn is_any_of(computed: &[u8], claimed: &[Claimed]) -> bool {
    claimed.iter().map(|claimed| constant_time_eq(computed, claimed)).fold(false, BitOr::bitor)
}

impl Running {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::HmacSha1(running) => running.update(bytes),
            Self::HmacSha256(running) => running.update(bytes),
            Self::HmacSha384(running) => running.update(bytes),
            Self::HmacSha512(running) => running.update(bytes),
            Self::Unsigned(state) => state.update(bytes),
            #[cfg(feature = "public-key")]
            Self::Public(running) => running.update(bytes),
            #[cfg(feature = "public-key")]
            Self::Ed25519(running) => running.update(bytes),
        }
    }
}
