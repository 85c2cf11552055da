//! A sender's public key, read from any of the forms in which senders publish it.

use std::{fmt, path::Path, str, sync::Arc};

use aws_lc_rs::signature;
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::VerifyingKey;
use pkcs1::{RsaPublicKey, der::Decode};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::{
    error::BuildError,
    keys::{
        algorithm::Algorithm,
        source::{read_env, read_file},
    },
};

/// `rsaEncryption`, RFC 8017 appendix A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-ecPublicKey`, RFC 5480 section 2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1`, which is P-256, RFC 5480 section 2.1.1.1.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// `id-Ed25519`, RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// What Standard Webhooks writes before the base64 of an Ed25519 key.
const STANDARD_WEBHOOKS: &str = "whpk_";

/// A sender's public key: RSA, P-256 or Ed25519.
///
/// Building the verifier checks that the key fits the scheme and is large enough for it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) form: Form,
    /// The `SubjectPublicKeyInfo`; empty for an Ed25519 key, which `form` holds.
    pub(crate) der: Arc<[u8]>,
}

/// The kind of key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Rsa { modulus_bits: usize },
    P256,
    Ed25519(VerifyingKey),
}

impl PublicKey {
    /// Reads any of the texts in which senders show public keys:
    ///
    /// - PEM;
    /// - the base64 of a `SubjectPublicKeyInfo` (Fluent Commerce, SendGrid);
    /// - 64 hex digits, an Ed25519 key (Discord);
    /// - `whpk_` and base64, an Ed25519 key (Standard Webhooks): its 32 bytes, or its `SubjectPublicKeyInfo` in DER, which
    ///   some implementations write.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for any other text, and the errors of [`from_pem`](Self::from_pem) and
    /// [`from_der`](Self::from_der).
    pub fn from_text(text: &str) -> Result<Self, BuildError> {
        let text = text.trim();
        if text.contains("-----BEGIN") {
            return Self::from_pem(text);
        }
        if let Some(base64) = text.strip_prefix(STANDARD_WEBHOOKS) {
            return Self::from_standard_webhooks(base64);
        }
        if text.len() == 64
            && let Ok(raw) = base16ct::mixed::decode_vec(text)
        {
            return Self::from_ed25519(&raw);
        }
        Self::from_base64(text)
    }

    /// Reads PEM that begins with `-----BEGIN PUBLIC KEY-----`, with lines of any length.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is not PEM and for a private key, a certificate or a PKCS#1
    /// `RSA PUBLIC KEY` (the message says how to convert it), and the errors of [`from_der`](Self::from_der).
    pub fn from_pem(pem: &str) -> Result<Self, BuildError> {
        let document = pem::parse(pem).map_err(|_| {
            refused(if pem.contains("\\n") {
                "the text is not valid PEM: it contains the two characters \\n instead of line ends"
            } else {
                "the text is not valid PEM: it must begin with -----BEGIN PUBLIC KEY-----"
            })
        })?;
        match document.tag() {
            "PUBLIC KEY" => Self::from_der(document.contents()),
            "CERTIFICATE" => Err(refused(
                "this is a certificate: extract its key with `openssl x509 -pubkey -noout -in FILE`",
            )),
            "RSA PUBLIC KEY" => Err(refused(
                "this is PKCS#1: convert it with `openssl rsa -RSAPublicKey_in -pubout -in FILE`",
            )),
            label if label.ends_with("PRIVATE KEY") => {
                Err(refused("this is a private key, which only the sender may have: ask for the public key"))
            }
            _ => Err(refused("the PEM label is not PUBLIC KEY")),
        }
    }

    /// Reads the base64 of a `SubjectPublicKeyInfo` in DER, as Fluent Commerce publishes it: one line or several,
    /// beginning with `M`.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is not padded base64 in the standard alphabet, and the errors of
    /// [`from_der`](Self::from_der).
    pub fn from_base64(base64: &str) -> Result<Self, BuildError> {
        let one_line = base64.trim().replace(['\r', '\n'], "");
        let der = STANDARD.decode(one_line).map_err(|_| refused(NOT_BASE64))?;
        if der.len() == 32 {
            return Err(refused("it has 32 bytes, like an Ed25519 key: write `whpk_` before the base64"));
        }
        Self::from_der(&der)
    }

    /// Reads an X.509 `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for bytes that are not exactly one such structure, for a key other than RSA, P-256 or
    /// Ed25519, and for a key with numbers out of range.
    pub fn from_der(der: &[u8]) -> Result<Self, BuildError> {
        let info = SubjectPublicKeyInfoRef::try_from(der)
            .map_err(|_| refused("it is not an X.509 SubjectPublicKeyInfo"))?;
        let key = info.subject_public_key.as_bytes().ok_or_else(|| refused("its key is not whole bytes"))?;
        let (form, algorithm) = match info.algorithm.oid {
            RSA_ENCRYPTION => {
                let modulus_bits =
                    RsaPublicKey::from_der(key).ok().and_then(|key| bit_length(key.modulus.as_bytes()));
                let modulus_bits =
                    modulus_bits.ok_or_else(|| refused("it contains no RSA modulus and exponent"))?;
                (Form::Rsa { modulus_bits }, Algorithm::RsaPkcs1Sha512)
            }
            EC_PUBLIC_KEY if info.algorithm.parameters_oid().is_ok_and(|curve| curve == P256) => {
                (Form::P256, Algorithm::EcdsaP256Sha256)
            }
            EC_PUBLIC_KEY => return Err(refused("it is on a curve other than P-256")),
            ED25519 => return Self::from_ed25519(key),
            _ => return Err(refused("it is not an RSA, ECDSA or Ed25519 key")),
        };
        // The verifier parses it again, for the algorithm of its scheme.
        match parse(algorithm, der) {
            Some(_) => Ok(Self { form, der: der.into() }),
            None => Err(refused("its numbers are out of range")),
        }
    }

    /// Reads the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for any other number of bytes, and for bytes that are not a key or are a weak one.
    pub fn from_ed25519(raw: &[u8]) -> Result<Self, BuildError> {
        let raw = raw.try_into().map_err(|_| refused("an Ed25519 key has 32 bytes"))?;
        // Under a key of small order, one signature fits many bodies.
        let key = VerifyingKey::from_bytes(raw).ok().filter(|key| !key.is_weak());
        let key = key.ok_or_else(|| refused("its bytes are not an Ed25519 key, or are a weak one"))?;
        Ok(Self { form: Form::Ed25519(key), der: Arc::default() })
    }

    /// Reads a key from an environment variable, in any form that [`from_text`](Self::from_text) accepts.
    ///
    /// # Errors
    /// [`EnvUnset`](BuildError::EnvUnset), [`EnvEmpty`](BuildError::EnvEmpty) and
    /// [`EnvNotUnicode`](BuildError::EnvNotUnicode) as for [`Secret::from_env`](crate::Secret::from_env), and
    /// [`EnvPublicKey`](BuildError::EnvPublicKey) for a text that [`from_text`](Self::from_text) does not accept.
    pub fn from_env(variable: &str) -> Result<Self, BuildError> {
        Self::from_text(&read_env(variable)?).map_err(|error| match error {
            BuildError::PublicKey { reason } => {
                BuildError::EnvPublicKey { variable: variable.to_owned(), reason }
            }
            other => other,
        })
    }

    /// Reads a key from a file, in any form that [`from_text`](Self::from_text) accepts.
    ///
    /// # Errors
    /// [`FileUnreadable`](BuildError::FileUnreadable), [`FileEmpty`](BuildError::FileEmpty), and the errors of
    /// [`from_text`](Self::from_text).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        let bytes = read_file(path.as_ref())?;
        str::from_utf8(&bytes).map_or_else(|_| Err(refused(NOT_BASE64)), Self::from_text)
    }

    fn from_standard_webhooks(base64: &str) -> Result<Self, BuildError> {
        let key = STANDARD.decode(base64).map_err(|_| refused(NOT_BASE64))?;
        if key.len() == 32 {
            return Self::from_ed25519(&key);
        }
        let key = Self::from_der(&key).ok().filter(|key| key.ed25519().is_some());
        key.ok_or_else(|| {
            refused("`whpk_` must precede the base64 of an Ed25519 key: its 32 bytes, or its SubjectPublicKeyInfo")
        })
    }

    /// The `SubjectPublicKeyInfo`, or the 32 bytes of an Ed25519 key.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.form {
            Form::Ed25519(key) => key.as_bytes(),
            Form::Rsa { .. } | Form::P256 => &self.der,
        }
    }

    pub(crate) fn ed25519(&self) -> Option<VerifyingKey> {
        match self.form {
            Form::Ed25519(key) => Some(key),
            Form::Rsa { .. } | Form::P256 => None,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Rsa { modulus_bits } => write!(f, "PublicKey(RSA, {modulus_bits} bits)"),
            Form::P256 => f.write_str("PublicKey(P-256)"),
            Form::Ed25519(_) => f.write_str("PublicKey(Ed25519)"),
        }
    }
}

const NOT_BASE64: &str = "the text is neither PEM nor padded base64";

fn refused(reason: &'static str) -> BuildError {
    BuildError::PublicKey { reason }
}

/// Parses a key for aws-lc-rs, if it is one for this algorithm.
pub(crate) fn parse(algorithm: Algorithm, der: &[u8]) -> Option<signature::ParsedPublicKey> {
    let library: &'static dyn signature::VerificationAlgorithm = match algorithm {
        // The names warn of 1024 bits; the scheme sets its own minimum.
        Algorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP256Sha256Fixed => &signature::ECDSA_P256_SHA256_FIXED,
        _ => return None,
    };
    signature::ParsedPublicKey::new(library, der).ok()
}

/// The length in bits of a big-endian number without leading zero bytes.
fn bit_length(bytes: &[u8]) -> Option<usize> {
    let leading = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    bytes.len().checked_mul(8)?.checked_sub(leading)
}
