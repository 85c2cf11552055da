//! Signs deliveries as a sender would, for tests and tools (feature `sign`).

#[cfg(feature = "public-key")]
pub(crate) mod private_key;

use std::{fmt, iter, time::SystemTime};

use hmac::{KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

#[cfg(feature = "public-key")]
use self::private_key::{PrivateKey, PrivateSigner};
use crate::{
    error::BuildError,
    keys::{
        algorithm::Algorithm,
        hmac::{Hmac, keyed},
        key::{Key, KeyId},
        ring::MOST_KEYS,
        secret::Secret,
    },
    schemes::{
        content::{Content, Coverage},
        list::Layout,
        scheme::Scheme,
    },
    verdicts::{kind::RejectionKind, signed_parts::SignedParts},
    verifying::parts,
    wire::{form, headers::Headers, timestamp::TimestampPlace},
};

/// Signs a body and makes the headers that a sender would send with it, for tests and tools.
///
/// RSA signatures come from the `rsa` crate, whose private-key operations leak through their timing
/// ([RUSTSEC-2023-0071](https://rustsec.org/advisories/RUSTSEC-2023-0071)): do not offer a signer as a service to others.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{Secret, Signer, senders};
///
/// let signer = Signer::new(senders::extend(), [Secret::new("secret123")])?;
/// let headers = signer.headers(b"{'test':'test2'}", SystemTime::now())?;
/// let signature = "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A";
/// assert_eq!(headers, [("ms-signature".to_owned(), signature.to_owned())]);
///
/// // This scheme also signs a header: give the signer its value.
/// let signer = Signer::new(senders::standard_webhooks(), [Secret::new("whsec_c2VjcmV0")])?.header("webhook-id", "msg_1");
/// let headers = signer.headers(b"{}", SystemTime::now())?;
/// assert_eq!(headers.len(), 3);
/// # Ok::<(), countersign::BuildError>(())
/// ```
pub struct Signer {
    scheme: Scheme,
    content: Content,
    keys: Vec<Ready>,
    given: Given,
}

/// The parts other than the body and the timestamp.
#[derive(Default)]
struct Given {
    headers: Vec<(String, String)>,
    request: Option<(String, String)>,
}

impl Headers for Given {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.headers.for_each_value(name, each);
    }

    fn method(&self) -> Option<&str> {
        self.request.as_ref().map(|(method, _)| method.as_str())
    }

    fn target(&self) -> Option<&str> {
        self.request.as_ref().map(|(_, target)| target.as_str())
    }
}

/// A key for a [`Signer`]: a [`Secret`] or a `PrivateKey`.
#[derive(Debug)]
#[non_exhaustive]
pub enum SigningKey {
    /// A shared secret for an HMAC, or a static token.
    Secret(Secret),
    /// A private key.
    #[cfg(feature = "public-key")]
    PrivateKey(PrivateKey),
}

impl From<Secret> for SigningKey {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

#[cfg(feature = "public-key")]
impl From<PrivateKey> for SigningKey {
    fn from(key: PrivateKey) -> Self {
        Self::PrivateKey(key)
    }
}

impl Signer {
    /// Makes a signer for this scheme and these keys: one key, or several if the scheme lists signatures.
    ///
    /// # Errors
    /// [`NoKey`](BuildError::NoKey) or [`TooManyKeys`](BuildError::TooManyKeys) if the scheme takes another number of keys,
    /// [`EmptySecret`](BuildError::EmptySecret) and [`SecretForm`](BuildError::SecretForm) for a secret that the scheme does
    /// not accept, [`KeyDoesNotFit`](BuildError::KeyDoesNotFit) for a key of another algorithm,
    /// [`ModulusSize`](BuildError::ModulusSize), and the error of the scheme if it does not build.
    pub fn new<K: Into<SigningKey>>(
        scheme: Scheme,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, BuildError> {
        // The unchecked scheme keeps header names as the sender writes them.
        let (_, content) = scheme.clone().checked()?;
        let keys: Vec<SigningKey> = keys.into_iter().map(Into::into).collect();
        let limit = if matches!(scheme.layout, Layout::List(_)) { MOST_KEYS } else { 1 };
        if keys.is_empty() {
            return Err(BuildError::NoKey { scheme: scheme.name().to_owned() });
        }
        if keys.len() > limit {
            let scheme = scheme.name().to_owned();
            return Err(BuildError::TooManyKeys { scheme, given: keys.len(), limit });
        }
        let keys = keys.into_iter().map(|key| Ready::new(&scheme, key)).collect::<Result<_, _>>()?;
        Ok(Self { scheme, content, keys, given: Given::default() })
    }

    /// Sets the value of a header that the scheme signs, for example the delivery's id.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the method and target (path and query) of the signed request.
    #[must_use]
    pub fn request(mut self, method: impl Into<String>, target: impl Into<String>) -> Self {
        self.given.request = Some((method.into(), target.into()));
        self
    }

    /// Signs this body and returns the headers to send, as pairs of name and value: first the signature, then the timestamp
    /// if it has its own header, then those given to [`header`](Self::header).
    ///
    /// A scheme with a timestamp signs `now`.
    ///
    /// # Errors
    /// [`Unsignable`](BuildError::Unsignable) if the scheme signs a header, the method or the target, and the signer was not
    /// given it or a verifier would reject it; if the scheme signs a form and the body is not one; and if the scheme signs the
    /// body's digest and the query does not contain it.
    pub fn headers(&self, body: &[u8], now: SystemTime) -> Result<Vec<(String, String)>, BuildError> {
        let timestamp = self.scheme.timestamp.as_ref();
        let time = timestamp.map(|timestamp| timestamp.format.write(now)).unwrap_or_default();
        let content = self.content(body, &time)?;
        let encoding = self.scheme.encoding;
        let signatures: Vec<String> = self
            .keys
            .iter()
            .map(|key| match key {
                Ready::Token(token) => String::from_utf8_lossy(token).into_owned(),
                key => encoding.encode(&key.sign(&content)),
            })
            .collect();
        let value = self.scheme.signature_value(&signatures, &time);
        let signature = iter::once((self.scheme.header_name().to_owned(), value));
        let time = match timestamp.map(|timestamp| &timestamp.place) {
            Some(TimestampPlace::Header(name)) => Some((name.clone().into_owned(), time)),
            Some(TimestampPlace::Listed(_) | TimestampPlace::Unsigned) | None => None,
        };
        Ok(signature.chain(time).chain(self.given.headers.iter().cloned()).collect())
    }

    /// The bytes to sign. Refuses parts that a verifier would reject.
    fn content(&self, body: &[u8], time: &str) -> Result<Vec<u8>, BuildError> {
        let unsignable =
            |reason: String| BuildError::Unsignable { scheme: self.scheme.name().to_owned(), reason };
        let parts = parts::read(&self.content, &self.given, time).map_err(|fault| {
            let how = match fault.kind {
                RejectionKind::SignedHeaderMissing => ": give it to `Signer::header`",
                RejectionKind::PartMissing => ": give it to `Signer::request`",
                _ => "",
            };
            unsignable(format!("{fault}{how}"))
        })?;
        let mut content = parts.as_ref().map(SignedParts::before_body).unwrap_or_default().to_vec();
        match &self.content.coverage {
            Coverage::Bytes => content.extend_from_slice(body),
            Coverage::SortedForm => {
                let sorted = form::sorted(body);
                content.extend(sorted.ok_or_else(|| unsignable(RejectionKind::FormMalformed.to_string()))?);
            }
            Coverage::DigestInQuery(parameter) => {
                let digest = base16ct::lower::encode_string(&Sha256::digest(body));
                let query = self
                    .given
                    .target()
                    .and_then(|target| target.split_once('?'))
                    .map_or("", |(_, query)| query);
                let mut parameters = form_urlencoded::parse(query.as_bytes());
                if !parameters.any(|(name, value)| name == *parameter && value == digest) {
                    return Err(unsignable(format!("the query lacks {parameter}={digest}")));
                }
            }
            Coverage::Nothing => {}
        }
        content.extend_from_slice(parts.as_ref().map(SignedParts::after_body).unwrap_or_default());
        Ok(content)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.scheme.name()).finish_non_exhaustive()
    }
}

/// A signing key that fits the scheme.
enum Ready {
    HmacSha1(Hmac<Sha1>),
    HmacSha256(Hmac<Sha256>),
    HmacSha384(Hmac<Sha384>),
    HmacSha512(Hmac<Sha512>),
    Token(Zeroizing<Vec<u8>>),
    #[cfg(feature = "public-key")]
    Private(PrivateSigner),
}

impl Ready {
    fn new(scheme: &Scheme, key: SigningKey) -> Result<Self, BuildError> {
        let rules = scheme.key_rules();
        // Signing keys have no ids.
        let id = KeyId::from("signing key");
        let secret = match key {
            SigningKey::Secret(secret) => rules.secret(&Key::secret(id.clone(), secret))?,
            #[cfg(feature = "public-key")]
            SigningKey::PrivateKey(key) => return PrivateSigner::new(&rules, &id, key).map(Self::Private),
        };
        match scheme.algorithm {
            Algorithm::LegacyHmacSha1 => Ok(Self::HmacSha1(keyed(&secret))),
            Algorithm::HmacSha256 => Ok(Self::HmacSha256(keyed(&secret))),
            Algorithm::HmacSha384 => Ok(Self::HmacSha384(keyed(&secret))),
            Algorithm::HmacSha512 => Ok(Self::HmacSha512(keyed(&secret))),
            Algorithm::UnsignedToken => Ok(Self::Token(secret)),
            _ => Err(rules.does_not_fit(&id)),
        }
    }

    fn sign(&self, content: &[u8]) -> Vec<u8> {
        fn mac<M: Mac + KeyInit + Clone>(keyed: &M, content: &[u8]) -> Vec<u8> {
            keyed.clone().chain_update(content).finalize().into_bytes().to_vec()
        }
        match self {
            Self::HmacSha1(keyed) => mac(keyed, content),
            Self::HmacSha256(keyed) => mac(keyed, content),
            Self::HmacSha384(keyed) => mac(keyed, content),
            Self::HmacSha512(keyed) => mac(keyed, content),
            Self::Token(token) => token.to_vec(),
            #[cfg(feature = "public-key")]
            Self::Private(signer) => signer.sign(content),
        }
    }
}
