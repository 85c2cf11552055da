//! A scheme and keys, checked and frozen at start-up.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    algorithm::{KeyRing, MOST_KEYS},
    error::BuildError,
    headers::{Headers, Occurrence, occurrence},
    key::{Activity, Key, KeyId, Period, Secret},
    rejection::{Fault, Rejection, RejectionKind},
    scheme::Scheme,
    signature::Claims,
    timestamp,
    verification::{Verification, Verified},
};

#[cfg(feature = "bytes")]
use crate::buffered::BufferedVerification;
#[cfg(feature = "rsa")]
use crate::public_key::PublicKey;

/// The body limit where none is set: 1 MiB. The five senders' deliveries are a few KiB.
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// What a sender puts on the wire and the keys we hold, ready to verify deliveries.
///
/// Built once, at start-up; cheap to clone and shared between threads. The secrets that it was built from are
/// wiped; what it keeps are the HMACs' key schedules, which are wiped when the last clone is dropped.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{RejectionKind, Secret, Verifier, senders};
///
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", Secret::new("secret123")).build()?;
///
/// // The sample that the sender documents.
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
/// let verified = verifier.verify(&headers, b"{'test':'test2'}", SystemTime::now())?;
/// assert_eq!(verified.key().as_str(), "2026-q1");
///
/// let rejection = verifier.verify(&headers, b"{'test':'test3'}", SystemTime::now()).unwrap_err();
/// assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Frozen>);

struct Frozen {
    scheme: Arc<Scheme>,
    keys: Vec<(KeyId, Period)>,
    ring: KeyRing,
    signature_lengths: Vec<usize>,
    body_limit: usize,
}

impl Verifier {
    /// Starts a verifier for deliveries of this scheme.
    pub fn builder(scheme: Scheme) -> VerifierBuilder {
        VerifierBuilder { scheme, keys: Vec::new(), body_limit: DEFAULT_BODY_LIMIT }
    }

    /// Verifies a delivery whose body is at hand: [`begin`](Self::begin), [`update`](Verification::update) and
    /// [`finish`](Verification::finish) in one.
    ///
    /// `body` is the exact bytes that arrived, before decompression or parsing; `now` is the receiver's clock.
    ///
    /// # Errors
    /// A [`Rejection`] for the first check that fails, in the order of [`RejectionKind`].
    pub fn verify(
        &self,
        headers: &(impl Headers + ?Sized),
        body: &[u8],
        now: SystemTime,
    ) -> Result<Verified, Rejection> {
        let mut verification = self.begin(headers, now)?;
        verification.update(body)?;
        verification.finish()
    }

    /// Begins as [`begin`](Self::begin) does, and keeps the body for the handler.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    #[cfg(feature = "bytes")]
    pub fn begin_buffered(
        &self,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
    ) -> Result<BufferedVerification, Rejection> {
        self.begin(headers, now).map(BufferedVerification::new)
    }

    /// Checks all that can be checked before the body is read, and starts hashing.
    ///
    /// # Errors
    /// A [`Rejection`] for the first of these that fails: the signature header is there, once, and decodes to a
    /// signature of the right length; the timestamp, where the scheme signs one, is within the tolerance; some
    /// key is active `now`; `Content-Length`, where there is one, is within the body limit.
    pub fn begin(
        &self,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
    ) -> Result<Verification, Rejection> {
        self.admit(headers, now).map_err(|fault| self.reject(fault))
    }

    /// The scheme that deliveries are verified under.
    pub fn scheme(&self) -> &Scheme {
        &self.0.scheme
    }

    /// The ids of the keys, in the order in which they were set up: to log at start-up.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.keys.iter().map(|(id, _)| id)
    }

    /// The most bytes that a body may have.
    pub fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    fn admit(&self, headers: &(impl Headers + ?Sized), now: SystemTime) -> Result<Verification, Fault> {
        let frozen = &*self.0;
        let scheme = &*frozen.scheme;
        let value = match occurrence(headers, &scheme.header) {
            Occurrence::Never => return Err(RejectionKind::SignatureMissing.into()),
            Occurrence::Repeated => return Err(RejectionKind::SignatureRepeated.into()),
            Occurrence::Once(value) => value,
        };
        let claims = Claims::read(scheme, &frozen.signature_lengths, value)?;
        let timestamp = match claims.timestamp {
            Some(text) => timestamp::read(text, scheme.content.after_timestamp())?,
            None => None,
        };
        if let Some(tolerance) = scheme.tolerance {
            tolerance.check(timestamp.ok_or(RejectionKind::TimestampMalformed)?, now)?;
        }
        if !frozen.keys.iter().any(|(_, period)| period.activity(now) == Activity::Active) {
            return Err(RejectionKind::NoActiveKey.into());
        }
        self.check_content_length(headers)?;

        let text = claims.timestamp.unwrap_or_default();
        let mut running = frozen.ring.start();
        scheme.content.before.iter().for_each(|segment| running.update(segment.bytes(text)));
        let suffix = scheme.content.after.iter().flat_map(|segment| segment.bytes(text)).copied().collect();
        Ok(Verification::new(self.clone(), now, claims.signatures, timestamp, running, suffix))
    }

    fn check_content_length(&self, headers: &(impl Headers + ?Sized)) -> Result<(), RejectionKind> {
        let mut outcome = Ok(());
        headers.for_each_value("content-length", &mut |value| {
            if outcome.is_ok() {
                outcome = self.check_announced(value);
            }
        });
        outcome
    }

    fn check_announced(&self, value: &[u8]) -> Result<(), RejectionKind> {
        let value = value.trim_ascii();
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(RejectionKind::ContentLengthMalformed);
        }
        // A number of digits that does not fit is over any limit.
        match str::from_utf8(value).ok().and_then(|digits| digits.parse::<usize>().ok()) {
            Some(length) if length <= self.0.body_limit => Ok(()),
            Some(_) | None => Err(RejectionKind::BodyTooLarge),
        }
    }

    pub(crate) fn reject(&self, fault: impl Into<Fault>) -> Rejection {
        Rejection::new(fault.into(), self)
    }

    pub(crate) fn shared_scheme(&self) -> Arc<Scheme> {
        Arc::clone(&self.0.scheme)
    }

    pub(crate) fn keys(&self) -> &[(KeyId, Period)] {
        &self.0.keys
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.0.ring
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.0.scheme.name())
            .field("keys", &self.0.keys)
            .field("body_limit", &self.0.body_limit)
            .finish_non_exhaustive()
    }
}

/// Sets up a [`Verifier`]: at least one key, and a body limit where the default of 1 MiB does not fit.
#[derive(Clone, Debug)]
#[must_use = "a builder verifies nothing until it is built"]
pub struct VerifierBuilder {
    scheme: Scheme,
    keys: Vec<Key>,
    body_limit: usize,
}

impl VerifierBuilder {
    /// Adds a shared secret that is always active, under the id that logs show for it.
    pub fn secret(self, id: impl Into<KeyId>, secret: Secret) -> Self {
        self.key(Key::secret(id, secret))
    }

    /// Adds a sender's public key that is always active, under the id that logs show for it.
    #[cfg(feature = "rsa")]
    pub fn public_key(self, id: impl Into<KeyId>, key: PublicKey) -> Self {
        self.key(Key::public(id, key))
    }

    /// Adds a key, with the instants between which it is active.
    ///
    /// A verifier may hold 8. An inactive key is still tried, so that a rejection can say that a
    /// delivery was signed with it: remove a key once its sender has stopped using it.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// The most bytes that a body may have; [`DEFAULT_BODY_LIMIT`] where this is not called.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Checks everything and freezes it.
    ///
    /// # Errors
    /// A [`BuildError`] for no key or more than 8, an empty or repeated key id, a secret without a byte other than zero, a key that is
    /// never active, a key that does not fit the scheme (a secret for RSA, a public key for HMAC, an RSA modulus
    /// outside of what the scheme allows), a header name that is not one, a tolerance where no timestamp is
    /// signed, and a body limit of 0.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let scheme = self.scheme.checked()?;
        if self.keys.is_empty() {
            return Err(BuildError::NoKey { scheme: scheme.name().to_owned() });
        }
        if self.keys.len() > MOST_KEYS {
            let given = self.keys.len();
            return Err(BuildError::TooManyKeys {
                scheme: scheme.name().to_owned(),
                given,
                limit: MOST_KEYS,
            });
        }
        if self.body_limit == 0 {
            return Err(BuildError::ZeroBodyLimit);
        }
        let mut keys: Vec<(KeyId, Period)> = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            if key.id.as_str().is_empty() {
                return Err(BuildError::EmptyKeyId { scheme: scheme.name().to_owned() });
            }
            if keys.iter().any(|(id, _)| *id == key.id) {
                return Err(BuildError::DuplicateKeyId {
                    key: key.id.to_string(),
                    scheme: scheme.name().to_owned(),
                });
            }
            if key.period.is_empty() {
                return Err(BuildError::KeyNeverActive {
                    key: key.id.to_string(),
                    scheme: scheme.name().to_owned(),
                });
            }
            keys.push((key.id.clone(), key.period));
        }
        let ring = KeyRing::new(&scheme, &self.keys)?;
        let signature_lengths = ring.signature_lengths();
        let scheme = Arc::new(scheme);
        Ok(Verifier(Arc::new(Frozen { scheme, keys, ring, signature_lengths, body_limit: self.body_limit })))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use data_encoding::HEXLOWER;
    use hmac::Mac;

    use super::*;
    use crate::{
        algorithm::keyed,
        scheme::{Content, Segment},
        senders,
    };

    /// Signs `v1:`, the timestamp, `:`, the body, `:`, the timestamp and `.end`.
    fn enclosed() -> Scheme {
        Scheme {
            content: Content {
                before: &[Segment::Literal("v1:"), Segment::Timestamp, Segment::Literal(":")],
                after: &[Segment::Literal(":"), Segment::Timestamp, Segment::Literal(".end")],
            },
            ..senders::modern_dropship()
        }
    }

    #[test]
    fn what_is_signed_is_prefix_body_and_suffix_however_the_body_arrives() {
        let verifier = Verifier::builder(enclosed()).secret("k", Secret::new("secret")).build().unwrap();
        let verdict = |signed: &str| {
            let mut mac = keyed(&Secret::new("secret"));
            mac.update(signed.as_bytes());
            let signature = HEXLOWER.encode(&mac.finalize().into_bytes());
            let headers = [("convictional-signature", format!("1719342000,{signature}"))];
            let mut verification = verifier.begin(&headers, UNIX_EPOCH + Duration::from_secs(1)).unwrap();
            for byte in b"body" {
                verification.update(&[*byte]).unwrap();
            }
            let one_shot = verifier.verify(&headers, b"body", UNIX_EPOCH).map(drop).map_err(|r| r.kind());
            assert_eq!(verification.finish().map(drop).map_err(|r| r.kind()), one_shot);
            one_shot
        };
        assert_eq!(verdict("v1:1719342000:body:1719342000.end"), Ok(()));
        for broken in
            ["1719342000:body:1719342000.end", "v1:1719342000:body", "v1:1719342000:body:1719342001.end"]
        {
            assert_eq!(verdict(broken), Err(RejectionKind::SignatureMismatch), "{broken}");
        }
    }

    #[cfg(feature = "rsa")]
    #[test]
    fn the_least_modulus_is_the_schemes() {
        let scheme = |least_modulus_bits| Scheme {
            algorithm: crate::Algorithm::RsaPkcs1Sha512 { least_modulus_bits },
            ..senders::fluent()
        };
        let key =
            PublicKey::from_pem(include_str!("../../../tests/vectors/keys/rsa-1024-public.pem")).unwrap();
        assert!(Verifier::builder(scheme(1024)).public_key("k", key.clone()).build().is_ok());
        assert_eq!(
            Verifier::builder(scheme(2048)).public_key("k", key).build().unwrap_err().to_string(),
            "key \"k\" of fluent has an RSA modulus of 1024 bits: use one of 2048 to 4096 bits"
        );
    }
}
