//! A sender's RSA public key, from the forms in which senders publish it.

use std::{fmt, str};

use data_encoding::BASE64_MIME;
use pkcs1::{RsaPublicKey, der::Decode};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::{algorithm::rsa::ParsedKey, error::BuildError, key::read_env};

/// `rsaEncryption`, RFC 8017 appendix A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A sender's RSA public key: an X.509 `SubjectPublicKeyInfo`.
///
/// Whether its size is enough is for the scheme to say, when the verifier is built.
#[derive(Clone)]
pub struct PublicKey {
    pub(crate) parsed: ParsedKey,
    pub(crate) modulus_bits: usize,
}

impl PublicKey {
    /// From PEM: a text that begins with `-----BEGIN PUBLIC KEY-----`, in lines of any length.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is not PEM, for a private key, a certificate or a PKCS#1
    /// `RSA PUBLIC KEY` (the message says how to convert them), and for a key that is not RSA.
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
    /// several, beginning with `MI`.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for a text that is not padded base64 of the standard alphabet, and as for
    /// [`from_der`](Self::from_der).
    pub fn from_base64(base64: &str) -> Result<Self, BuildError> {
        let der = BASE64_MIME
            .decode(base64.trim().as_bytes())
            .map_err(|_| refused("the text is neither PEM nor padded base64"))?;
        Self::from_der(&der)
    }

    /// From the DER of a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`] for bytes that are not exactly one such structure, for a key that is not RSA,
    /// and for an RSA key that the algorithm cannot use.
    pub fn from_der(der: &[u8]) -> Result<Self, BuildError> {
        let info = SubjectPublicKeyInfoRef::try_from(der)
            .map_err(|_| refused("it is not an X.509 SubjectPublicKeyInfo"))?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(refused("it is a key of another algorithm than RSA"));
        }
        let modulus_bits = info
            .subject_public_key
            .as_bytes()
            .and_then(|bytes| RsaPublicKey::from_der(bytes).ok())
            .and_then(|key| bit_length(key.modulus.as_bytes()))
            .ok_or_else(|| refused("it holds no RSA modulus and exponent"))?;
        let parsed = ParsedKey::new(der, modulus_bits)
            .ok_or_else(|| refused("its modulus or exponent is out of range"))?;
        Ok(Self { parsed, modulus_bits })
    }

    /// From an environment variable that holds either PEM or bare base64.
    ///
    /// # Errors
    /// [`EnvUnset`](BuildError::EnvUnset), [`EnvEmpty`](BuildError::EnvEmpty) and
    /// [`EnvNotUnicode`](BuildError::EnvNotUnicode) as for [`Secret::from_env`](crate::Secret::from_env), and
    /// [`EnvPublicKey`](BuildError::EnvPublicKey) for what [`from_pem`](Self::from_pem) or
    /// [`from_base64`](Self::from_base64) does not take. White space around the key is allowed.
    pub fn from_env(variable: &str) -> Result<Self, BuildError> {
        let text = read_env(variable)?;
        let key = if text.contains("-----BEGIN") { Self::from_pem(&text) } else { Self::from_base64(&text) };
        key.map_err(|error| match error {
            BuildError::PublicKey { reason } => {
                BuildError::EnvPublicKey { variable: variable.to_owned(), reason }
            }
            other => other,
        })
    }

    /// The size of the modulus, in bits.
    pub fn modulus_bits(&self) -> usize {
        self.modulus_bits
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("modulus_bits", &self.modulus_bits).finish_non_exhaustive()
    }
}

fn refused(reason: &'static str) -> BuildError {
    BuildError::PublicKey { reason }
}

/// The bits of a big-endian number without leading zero bytes.
fn bit_length(bytes: &[u8]) -> Option<usize> {
    let leading = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    bytes.len().checked_mul(8)?.checked_sub(leading)
}
