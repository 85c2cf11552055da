//! The sender's side (feature `sign`): the headers that a sender would send, for tests and tools.

use std::{
    fmt, iter,
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::Mac;

#[cfg(feature = "rsa")]
use crate::algorithm::rsa::{PrivateKey, RsaSigner};
use crate::{
    algorithm::{Algorithm, HmacSha256, MOST_KEYS, keyed},
    error::BuildError,
    key::Secret,
    scheme::{Layout, Scheme, Segment},
};

/// Makes the headers that a sender would send with a body.
///
/// For tests and tools. It signs with RSA through the `rsa` crate, whose private-key operations leak through
/// their timing ([RUSTSEC-2023-0071](https://rustsec.org/advisories/RUSTSEC-2023-0071)): do not run it as a
/// service for others.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{Secret, Signer, senders};
///
/// let signer = Signer::new(senders::extend(), [Secret::new("secret123")])?;
/// let headers = signer.headers(b"{'test':'test2'}", SystemTime::now());
/// let signature = "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A";
/// assert_eq!(headers, [("ms-signature".to_owned(), signature.to_owned())]);
/// # Ok::<(), countersign::BuildError>(())
/// ```
pub struct Signer {
    scheme: Scheme,
    keys: Vec<Ready>,
}

/// What a [`Signer`] signs with: a [`Secret`] or a `PrivateKey`.
#[derive(Debug)]
#[non_exhaustive]
pub enum SigningKey {
    /// A shared secret, for an HMAC.
    Secret(Secret),
    /// An RSA private key.
    #[cfg(feature = "rsa")]
    PrivateKey(PrivateKey),
}

impl From<Secret> for SigningKey {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

#[cfg(feature = "rsa")]
impl From<PrivateKey> for SigningKey {
    fn from(key: PrivateKey) -> Self {
        Self::PrivateKey(key)
    }
}

impl Signer {
    /// A sender of this scheme that signs with these keys: one, or several where the scheme lists signatures.
    ///
    /// # Errors
    /// [`NoKey`](BuildError::NoKey) and [`TooManyKeys`](BuildError::TooManyKeys) where the scheme takes another
    /// number, [`EmptySecret`](BuildError::EmptySecret), [`KeyDoesNotFit`](BuildError::KeyDoesNotFit) for a
    /// secret under RSA or a private key under an HMAC, [`ModulusSize`](BuildError::ModulusSize), and
    /// [`HeaderName`](BuildError::HeaderName).
    pub fn new<K: Into<SigningKey>>(
        scheme: Scheme,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, BuildError> {
        scheme.clone().checked()?;
        let keys: Vec<SigningKey> = keys.into_iter().map(Into::into).collect();
        let limit = if scheme.layout.has_timestamp() { MOST_KEYS } else { 1 };
        if keys.is_empty() {
            return Err(BuildError::NoKey { scheme: scheme.name().to_owned() });
        }
        if keys.len() > limit {
            return Err(BuildError::TooManyKeys {
                scheme: scheme.name().to_owned(),
                given: keys.len(),
                limit,
            });
        }
        let keys = keys.into_iter().map(|key| Ready::new(&scheme, key)).collect::<Result<_, _>>()?;
        Ok(Self { scheme, keys })
    }

    /// The headers to send with this body, as pairs of name and value.
    ///
    /// `now` is what a scheme with a timestamp signs, in seconds since 1970.
    pub fn headers(&self, body: &[u8], now: SystemTime) -> Vec<(String, String)> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        let content = self.scheme.content;
        let segments = |segments: &'static [Segment]| segments.iter().map(|segment| segment.bytes(&seconds));
        let parts: Vec<&[u8]> =
            segments(content.before).chain([body]).chain(segments(content.after)).collect();
        let signatures: Vec<String> =
            self.keys.iter().map(|key| self.scheme.encoding.encode(&key.sign(&parts))).collect();
        let value = match self.scheme.layout {
            Layout::Bare => signatures.concat(),
            Layout::Labelled(label) => format!("{label}={}", signatures.concat()),
            Layout::List { separator, .. } => {
                iter::once(seconds.clone()).chain(signatures).collect::<Vec<_>>().join(&separator.to_string())
            }
        };
        vec![(self.scheme.header_name().to_owned(), value)]
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.scheme.name()).finish_non_exhaustive()
    }
}

/// A signing key that was found to fit the scheme.
enum Ready {
    HmacSha256(HmacSha256),
    #[cfg(feature = "rsa")]
    Rsa(RsaSigner),
}

impl Ready {
    fn new(scheme: &Scheme, key: SigningKey) -> Result<Self, BuildError> {
        match (scheme.algorithm(), key) {
            (_, SigningKey::Secret(secret)) if secret.is_void() => Err(scheme.empty_secret(SIGNING_KEY)),
            (Algorithm::HmacSha256, SigningKey::Secret(secret)) => Ok(Self::HmacSha256(keyed(&secret))),
            #[cfg(feature = "rsa")]
            (_, SigningKey::PrivateKey(key)) => match RsaSigner::new(scheme, key) {
                Some(signer) => signer.map(Self::Rsa),
                None => Err(scheme.does_not_take(SIGNING_KEY, "a secret")),
            },
            #[cfg(feature = "rsa")]
            (_, SigningKey::Secret(_)) => Err(scheme.does_not_take(SIGNING_KEY, "an RSA private key")),
        }
    }

    fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::HmacSha256(keyed) => {
                let mut mac = keyed.clone();
                for part in parts {
                    mac.update(part);
                }
                mac.finalize().into_bytes().to_vec()
            }
            #[cfg(feature = "rsa")]
            Self::Rsa(signer) => signer.sign(parts),
        }
    }
}

/// What errors call the keys of a signer, which have no id.
pub(crate) const SIGNING_KEY: &str = "signing key";
