//! A sender's public key, from the forms in which senders publish it.

use std::{fmt, path::Path, str, sync::Arc};

use data_encoding::{BASE64, BASE64_MIME, HEXLOWER_PERMISSIVE};
use pkcs1::{RsaPublicKey, der::Decode};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::{
    algorithm::{Algorithm, ed25519, public},
    error::BuildError,
    key::{read_env, read_file},
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
/// Whether it fits a scheme, and is large enough for it, is for the scheme to say, when the verifier is built.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) form: Form,
    /// The `SubjectPublicKeyInfo`; nothing for an Ed25519 key, which its form holds.
    pub(crate) der: Arc<[u8]>,
}

/// Which key it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Rsa { modulus_bits: usize },
    P256,
    Ed25519(ed25519::VerifyingKey),
}

impl PublicKey {
    /// From any of the texts in which senders show public keys: PEM, the base64 of a `SubjectPublicKeyInfo` (Fluent
    /// Commerce, SendGrid), 64 hex digits (Discord) or `whpk_` and base64 (Standard Webhooks), the last two being Ed25519.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is none of these, and as for [`from_pem`](Self::from_pem) and
    /// [`from_der`](Self::from_der).
    pub fn from_text(text: &str) -> Result<Self, BuildError> {
        let text = text.trim();
        if text.contains("-----BEGIN") {
            return Self::from_pem(text);
        }
        if let Some(base64) = text.strip_prefix(STANDARD_WEBHOOKS) {
            let raw = BASE64.decode(base64.as_bytes()).ok();
            return raw.as_deref().map_or_else(|| Err(refused(NOT_BASE64)), Self::from_ed25519);
        }
        if text.len() == 64
            && let Ok(raw) = HEXLOWER_PERMISSIVE.decode(text.as_bytes())
        {
            return Self::from_ed25519(&raw);
        }
        Self::from_base64(text)
    }

    /// From PEM: a text that begins with `-----BEGIN PUBLIC KEY-----`, in lines of any length.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is not PEM, for a private key, a certificate or a PKCS#1
    /// `RSA PUBLIC KEY` (the message says how to convert them), and as for [`from_der`](Self::from_der).
    pub fn from_pem(pem: &str) -> Result<Self, BuildError> {
        let document = pem::parse(pem).map_err(|_| {
            refused(if pem.contains("\\n") {
                "the text is not valid PEM: it holds the two characters \\n in the place of line ends"
            } else {
                "the text is not valid PEM: it should begin with -----BEGIN PUBLIC KEY-----"
            })
        })?;
        match document.tag() {
            "PUBLIC KEY" => Self::from_der(document.contents()),
            "CERTIFICATE" => Err(refused(
                "this is a certificate; take its key with `openssl x509 -pubkey -noout -in FILE`",
            )),
            "RSA PUBLIC KEY" => Err(refused(
                "this is PKCS#1; convert it with `openssl rsa -RSAPublicKey_in -pubout -in FILE`",
            )),
            label if label.ends_with("PRIVATE KEY") => Err(refused(
                "this is a private key, which only the sender should have; ask for the public one",
            )),
            _ => Err(refused("the PEM label is not PUBLIC KEY")),
        }
    }

    /// From the base64 of the `SubjectPublicKeyInfo`'s DER, as Fluent Commerce publishes it: one line or
    /// several, beginning with `M`.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is not padded base64 of the standard alphabet, and as for
    /// [`from_der`](Self::from_der).
    pub fn from_base64(base64: &str) -> Result<Self, BuildError> {
        let der = BASE64_MIME.decode(base64.trim().as_bytes()).map_err(|_| refused(NOT_BASE64))?;
        if der.len() == 32 {
            return Err(refused("it is 32 bytes, as an Ed25519 key has: write `whpk_` before the base64"));
        }
        Self::from_der(&der)
    }

    /// From the DER of an X.509 `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for bytes that are not exactly one such structure, for a key that is not RSA, P-256 or
    /// Ed25519, and for one that its algorithm cannot use.
    pub fn from_der(der: &[u8]) -> Result<Self, BuildError> {
        let info = SubjectPublicKeyInfoRef::try_from(der)
            .map_err(|_| refused("it is not an X.509 SubjectPublicKeyInfo"))?;
        let key = info.subject_public_key.as_bytes().ok_or_else(|| refused("its key is not whole bytes"))?;
        let (form, algorithm) = match info.algorithm.oid {
            RSA_ENCRYPTION => {
                let modulus_bits =
                    RsaPublicKey::from_der(key).ok().and_then(|key| bit_length(key.modulus.as_bytes()));
                let modulus_bits =
                    modulus_bits.ok_or_else(|| refused("it holds no RSA modulus and exponent"))?;
                (Form::Rsa { modulus_bits }, Algorithm::RsaPkcs1Sha512)
            }
            EC_PUBLIC_KEY if info.algorithm.parameters_oid().is_ok_and(|curve| curve == P256) => {
                (Form::P256, Algorithm::EcdsaP256Sha256)
            }
            EC_PUBLIC_KEY => return Err(refused("it is a key of another curve than P-256")),
            ED25519 => return Self::from_ed25519(key),
            _ => return Err(refused("it is a key of another algorithm than RSA, ECDSA and Ed25519")),
        };
        // The ring parses it again, for its own algorithm: here it is known to be a key at all.
        match public::parse(algorithm, der) {
            Some(_) => Ok(Self { form, der: der.into() }),
            None => Err(refused("its numbers are out of range")),
        }
    }

    /// From the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for another number of bytes, and for bytes that are no key or a weak one.
    pub fn from_ed25519(raw: &[u8]) -> Result<Self, BuildError> {
        let raw = raw.try_into().map_err(|_| refused("an Ed25519 key has 32 bytes"))?;
        let key =
            ed25519::parse(raw).ok_or_else(|| refused("its bytes are no Ed25519 key, or a weak one"))?;
        Ok(Self { form: Form::Ed25519(key), der: Arc::default() })
    }

    /// From an environment variable that holds a key in any form that [`from_text`](Self::from_text) takes.
    ///
    /// # Errors
    /// [`EnvUnset`](BuildError::EnvUnset), [`EnvEmpty`](BuildError::EnvEmpty) and
    /// [`EnvNotUnicode`](BuildError::EnvNotUnicode) as for [`Secret::from_env`](crate::Secret::from_env), and
    /// [`EnvPublicKey`](BuildError::EnvPublicKey) for what [`from_text`](Self::from_text) does not take.
    pub fn from_env(variable: &str) -> Result<Self, BuildError> {
        Self::from_text(&read_env(variable)?).map_err(|error| match error {
            BuildError::PublicKey { reason } => {
                BuildError::EnvPublicKey { variable: variable.to_owned(), reason }
            }
            other => other,
        })
    }

    /// From a file that holds a key in any form that [`from_text`](Self::from_text) takes.
    ///
    /// # Errors
    /// [`FileUnreadable`](BuildError::FileUnreadable), [`FileEmpty`](BuildError::FileEmpty), and those of
    /// [`from_text`](Self::from_text).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        let bytes = read_file(path.as_ref())?;
        str::from_utf8(&bytes).map_or_else(|_| Err(refused(NOT_BASE64)), Self::from_text)
    }

    pub(crate) fn ed25519(&self) -> Option<ed25519::VerifyingKey> {
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

/// The bits of a big-endian number without leading zero bytes.
fn bit_length(bytes: &[u8]) -> Option<usize> {
    let leading = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    bytes.len().checked_mul(8)?.checked_sub(leading)
}
