//! A running verification, and the proof that it ends in.

use std::{fmt, sync::Arc, time::SystemTime};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::{
    algorithm::Running,
    key::{Activity, KeyId},
    rejection::{Detail, Fault, Rejection, RejectionKind},
    scheme::Scheme,
    signature::Claimed,
    verifier::Verifier,
};

/// The most chunks without a byte that a body may have: they cost time and never reach the body limit.
const MOST_EMPTY_CHUNKS: u16 = 1024;

/// A verification under way: the headers were in order, the body is still to come.
///
/// Nothing is proven until [`finish`](Self::finish) returns a [`Verified`].
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{Secret, Verifier, senders};
///
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", Secret::new("secret123")).build()?;
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
///
/// let mut verification = verifier.begin(&headers, SystemTime::now())?;
/// for chunk in [b"{'test':".as_slice(), b"'test2'}"] {
///     verification.update(chunk)?;
/// }
/// let verified = verification.finish()?;
/// # let _ = verified;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a verification proves nothing until it is finished"]
pub struct Verification {
    verifier: Verifier,
    now: SystemTime,
    claimed: SmallVec<[Claimed; 1]>,
    timestamp: Option<SystemTime>,
    running: Running,
    suffix: Vec<u8>,
    received: usize,
    empty_chunks: u16,
    failed: Option<RejectionKind>,
}

impl Verification {
    pub(crate) fn new(
        verifier: Verifier,
        now: SystemTime,
        claimed: SmallVec<[Claimed; 1]>,
        timestamp: Option<SystemTime>,
        running: Running,
        suffix: Vec<u8>,
    ) -> Self {
        Self {
            verifier,
            now,
            claimed,
            timestamp,
            running,
            suffix,
            received: 0,
            empty_chunks: 0,
            failed: None,
        }
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    ///
    /// # Errors
    /// [`BodyTooLarge`](RejectionKind::BodyTooLarge) where they exceed the body limit, and
    /// [`BodyUnreadable`](RejectionKind::BodyUnreadable) after more than 1024 chunks without a byte. From then on
    /// the verification can only fail.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), Rejection> {
        let received = self.received.checked_add(chunk.len());
        let (Some(received), None) = (received.filter(|&sum| sum <= self.verifier.body_limit()), self.failed)
        else {
            return Err(self.fail(RejectionKind::BodyTooLarge));
        };
        if chunk.is_empty() {
            self.empty_chunks = self.empty_chunks.saturating_add(1);
            if self.empty_chunks > MOST_EMPTY_CHUNKS {
                return Err(self.fail(RejectionKind::BodyUnreadable));
            }
        }
        self.received = received;
        self.running.update(chunk);
        Ok(())
    }

    /// The verdict, after the last byte of the body.
    ///
    /// # Errors
    /// [`SignatureMismatch`](RejectionKind::SignatureMismatch) where no key made any of the claimed signatures,
    /// [`KeyExpired`](RejectionKind::KeyExpired) or [`KeyNotYetActive`](RejectionKind::KeyNotYetActive) where
    /// only an inactive key did, and the rejection of [`update`](Self::update) again where there was one.
    pub fn finish(mut self) -> Result<Verified, Rejection> {
        if let Some(kind) = self.failed {
            return Err(self.verifier.reject(kind));
        }
        self.running.update(&self.suffix);
        let comparison = self.verifier.ring().compare(self.running, &self.claimed);
        let mut inactive = None;
        for ((key, period), made) in self.verifier.keys().iter().zip(comparison.made_by_key) {
            if !made {
                continue;
            }
            match period.activity(self.now) {
                Activity::Active => {
                    return Ok(Verified::new(&self.verifier, key, self.timestamp, comparison.fingerprint));
                }
                Activity::Expired => inactive = inactive.or(Some((RejectionKind::KeyExpired, key))),
                Activity::NotYet => inactive = inactive.or(Some((RejectionKind::KeyNotYetActive, key))),
            }
        }
        Err(match inactive {
            Some((kind, key)) => self.verifier.reject(Fault { kind, detail: Detail::Key(key.clone()) }),
            None => self.verifier.reject(RejectionKind::SignatureMismatch),
        })
    }

    /// Ends the verification of a body that broke off: the rejection to answer with, if anyone still listens.
    pub fn body_unreadable(self) -> Rejection {
        self.verifier.reject(RejectionKind::BodyUnreadable)
    }

    /// Ends the verification of a body that did not arrive in time.
    pub fn body_timeout(self) -> Rejection {
        self.verifier.reject(RejectionKind::BodyTimeout)
    }

    /// The most bytes that the body may have.
    #[cfg(feature = "bytes")]
    pub(crate) fn body_limit(&self) -> usize {
        self.verifier.body_limit()
    }

    fn fail(&mut self, kind: RejectionKind) -> Rejection {
        let kind = *self.failed.get_or_insert(kind);
        self.verifier.reject(kind)
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("verifier", &self.verifier)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// The proof that a delivery was signed with a key that is active: only a verification makes one.
///
/// It covers the body, and the timestamp where there is one. No other header is covered: not a delivery id, not
/// a topic.
#[derive(Clone, Debug)]
#[must_use = "it says which sender and key the delivery came from"]
pub struct Verified {
    scheme: Arc<Scheme>,
    key: KeyId,
    timestamp: Option<SystemTime>,
    fingerprint: Fingerprint,
}

impl Verified {
    fn new(
        verifier: &Verifier,
        key: &KeyId,
        timestamp: Option<SystemTime>,
        fingerprint: Fingerprint,
    ) -> Self {
        let verified = Self { scheme: verifier.shared_scheme(), key: key.clone(), timestamp, fingerprint };
        #[cfg(feature = "tracing")]
        tracing::debug!(sender = verified.scheme.name(), key = verified.key.as_str(), "delivery verified");
        verified
    }

    /// The scheme that the delivery was verified under; its name is the sender's.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The id of the key that signed the delivery: of the active ones that did, the first that was set up.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// The timestamp that the sender signed, where the scheme signs one.
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.timestamp
    }

    /// A name for what was signed, to notice a replay or a plain retry by: keep those that were handled, for as long
    /// as a replay would matter.
    ///
    /// It depends on the signed bytes and, for an HMAC, on the verifier's first key: not on which signature or key
    /// matched, nor on how the signature was written, so that nobody can vary it. A retry that signs something new (a
    /// timestamp, the number of an attempt) has another, and so have all deliveries once the first key was changed.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// A name for a delivery's signed bytes: 32 bytes, of which nothing can be forged.
///
/// `Display` writes 64 hex digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The SHA-256 of a computed signature or digest, which tells nothing of it.
    pub(crate) fn of(computed: &[u8]) -> Self {
        Self(Sha256::digest(computed).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
