//! A running verification, and the proof that it ends in.

use std::{fmt, sync::Arc, time::SystemTime};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::{
    algorithm::Running,
    buffer::Buffer,
    form,
    key::{Activity, KeyId},
    rejection::{Detail, Fault, Rejection, RejectionKind},
    scheme::{Scheme, Values},
    sender::{Admitted, Sender},
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
    sender: Arc<Sender>,
    now: SystemTime,
    admitted: Admitted,
    /// From the first bytes on that are hashed before the body is whole.
    running: Option<Running>,
    pub(crate) received: usize,
    empty_chunks: u16,
    failed: Option<RejectionKind>,
}

/// The body, as far as it arrived, on its way to what is signed of it.
pub(crate) enum Covered {
    /// Its bytes are hashed as they arrive.
    Bytes,
    /// Its fields are sorted when it is whole; until then it is kept here, or by whoever keeps it anyway.
    Form(Option<Buffer>),
    /// Its digest is compared with the one that is signed.
    Digest(Box<BodyDigest>),
}

/// The body's digest: as it is signed, and as it is computed.
pub(crate) struct BodyDigest {
    claimed: [u8; 32],
    running: Sha256,
}

impl Covered {
    pub(crate) fn by_digest(claimed: [u8; 32]) -> Self {
        Self::Digest(Box::new(BodyDigest { claimed, running: Sha256::new() }))
    }
}

impl Verification {
    #[inline]
    pub(crate) fn new(sender: Arc<Sender>, now: SystemTime, admitted: Admitted) -> Self {
        Self { sender, now, admitted, running: None, received: 0, empty_chunks: 0, failed: None }
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    ///
    /// # Errors
    /// [`BodyTooLarge`](RejectionKind::BodyTooLarge) where they exceed the body limit, and
    /// [`BodyUnreadable`](RejectionKind::BodyUnreadable) after more than 1024 chunks without a byte. From then on
    /// the verification can only fail.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), Rejection> {
        self.admit(chunk.len())?;
        self.hash(chunk);
        Ok(())
    }

    /// Counts a chunk of this length, which [`hash`](Self::hash) is to be given.
    #[inline]
    pub(crate) fn admit(&mut self, length: usize) -> Result<(), Rejection> {
        let received = self.received.checked_add(length);
        let (Some(received), None) = (received.filter(|&sum| sum <= self.sender.body_limit), self.failed)
        else {
            return Err(self.fail(RejectionKind::BodyTooLarge));
        };
        if length == 0 {
            self.empty_chunks = self.empty_chunks.saturating_add(1);
            if self.empty_chunks > MOST_EMPTY_CHUNKS {
                return Err(self.fail(RejectionKind::BodyUnreadable));
            }
        }
        self.received = received;
        Ok(())
    }

    pub(crate) fn hash(&mut self, bytes: &[u8]) {
        match &mut self.admitted.covered {
            Covered::Bytes => {
                let Self { sender, admitted, running, .. } = self;
                let start = || {
                    let mut running = sender.ring.start(&admitted.claimed);
                    if let Some(values) = &admitted.values {
                        running.update(values.around_the_body().0);
                    }
                    running
                };
                running.get_or_insert_with(start).update(bytes);
            }
            Covered::Form(Some(body)) => {
                let limit = self.sender.body_limit;
                body.append(bytes, limit, limit);
            }
            Covered::Form(None) => {}
            Covered::Digest(digest) => digest.running.update(bytes),
        }
    }

    /// The verdict, after the last byte of the body.
    ///
    /// # Errors
    /// [`SignatureMismatch`](RejectionKind::SignatureMismatch) where no key made any of the claimed signatures,
    /// [`KeyExpired`](RejectionKind::KeyExpired) or [`KeyNotYetActive`](RejectionKind::KeyNotYetActive) where
    /// only an inactive key did, [`FormMalformed`](RejectionKind::FormMalformed) or
    /// [`BodyDigestMismatch`](RejectionKind::BodyDigestMismatch) where the scheme signs a form or a digest and the body is
    /// not that, and the rejection of [`update`](Self::update) again where there was one.
    pub fn finish(mut self) -> Result<Verified, Rejection> {
        let body = match &mut self.admitted.covered {
            Covered::Form(body) => body.take().unwrap_or_default(),
            Covered::Bytes | Covered::Digest(_) => Buffer::default(),
        };
        self.conclude(body.as_ref(), body.as_ref().len())
    }

    /// From now on the body is kept by the caller, who has it for [`conclude`](Self::conclude).
    #[cfg(feature = "bytes")]
    #[inline]
    pub(crate) fn keep_nothing(&mut self) {
        if let Covered::Form(body) = &mut self.admitted.covered {
            *body = None;
        }
    }

    /// The verdict over a whole body, of which so many bytes were hashed already.
    #[inline]
    pub(crate) fn conclude(self, body: &[u8], hashed: usize) -> Result<Verified, Rejection> {
        let Self { sender, now, mut admitted, running, failed, .. } = self;
        match failed {
            Some(kind) => Err(sender.reject(kind)),
            None => admitted.conclude(sender, now, running, body, hashed),
        }
    }

    /// Ends the verification of a body that broke off: the rejection to answer with, if anyone still listens.
    pub fn body_unreadable(&self) -> Rejection {
        self.sender.reject(RejectionKind::BodyUnreadable)
    }

    /// Ends the verification of a body that did not arrive in time.
    pub fn body_timeout(&self) -> Rejection {
        self.sender.reject(RejectionKind::BodyTimeout)
    }

    /// What `Content-Length` says, where there is one.
    #[cfg(feature = "bytes")]
    pub(crate) fn announced(&self) -> Option<usize> {
        self.admitted.announced
    }

    /// How often a byte of the body is hashed, at the most.
    #[cfg(feature = "bytes")]
    pub(crate) fn passes(&self) -> usize {
        self.sender.keys.len()
    }

    /// The most bytes that the body may have.
    #[cfg(feature = "bytes")]
    pub(crate) fn body_limit(&self) -> usize {
        self.sender.body_limit
    }

    pub(crate) fn fail(&mut self, kind: RejectionKind) -> Rejection {
        let kind = *self.failed.get_or_insert(kind);
        self.sender.reject(kind)
    }
}

impl Admitted {
    fn conclude(
        &mut self,
        sender: Arc<Sender>,
        now: SystemTime,
        running: Option<Running>,
        body: &[u8],
        hashed: usize,
    ) -> Result<Verified, Rejection> {
        let rest = body.get(hashed..).unwrap_or_default();
        let form;
        let mut is_covered = true;
        let covered = match &mut self.covered {
            Covered::Bytes => rest,
            Covered::Form(_) => {
                form = form::sorted(body).map_err(|kind| sender.reject(kind))?;
                &form
            }
            // Neither is secret: the caller sent both.
            Covered::Digest(digest) => {
                digest.running.update(rest);
                is_covered = digest.running.finalize_reset().as_slice() == digest.claimed;
                &[]
            }
        };
        let (before, after) = self.values.as_deref().map(Values::around_the_body).unwrap_or_default();
        let before = if running.is_some() { &[] } else { before };
        let comparison = sender.ring.conclude(running, [before, covered, after], &self.claimed);
        let mut inactive = None;
        let keys = sender.keys.iter().enumerate();
        for ((place, (key, period)), made) in keys.zip(comparison.made_by_key) {
            if !made {
                continue;
            }
            match period.activity(now) {
                Activity::Active if !is_covered => {
                    return Err(sender.reject(RejectionKind::BodyDigestMismatch));
                }
                Activity::Active => {
                    #[cfg(feature = "tracing")]
                    tracing::debug!(sender = sender.scheme.name(), key = key.as_str(), "delivery verified");
                    let computed = comparison.computed;
                    let Self { timestamp, ref mut values, .. } = *self;
                    return Ok(Verified { sender, key: place, timestamp, values: values.take(), computed });
                }
                Activity::Expired => inactive = inactive.or(Some((RejectionKind::KeyExpired, key))),
                Activity::NotYet => inactive = inactive.or(Some((RejectionKind::KeyNotYetActive, key))),
            }
        }
        Err(match inactive {
            Some((kind, key)) => sender.reject(Fault { kind, detail: Detail::Key(key.clone()) }),
            None => sender.reject(RejectionKind::SignatureMismatch),
        })
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("sender", &self.sender.scheme.name())
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// The proof that a delivery was signed with a key that is active: only a verification makes one.
///
/// It covers the body, the timestamp where there is one, and the headers that [`signed_header`](Self::signed_header)
/// gives. No other header is covered. Under a [static token](crate::Scheme::unsigned_token) nothing is.
#[derive(Clone)]
#[must_use = "it says which sender and key the delivery came from"]
pub struct Verified {
    sender: Arc<Sender>,
    /// Its place among the sender's keys.
    key: usize,
    timestamp: Option<SystemTime>,
    values: Option<Arc<Values>>,
    computed: Computed,
}

impl Verified {
    /// The scheme that the delivery was verified under; its name is the sender's.
    pub fn scheme(&self) -> &Scheme {
        &self.sender.scheme
    }

    /// The value of a header that the signature covers, by its name in any case: a delivery's id, say. `None` for every
    /// header that the scheme does not sign, whatever was sent in it.
    pub fn signed_header(&self, name: &str) -> Option<&str> {
        let values = self.values.as_deref()?.headers();
        let mut signed = self.sender.content.headers().zip(values);
        signed.find(|(signed, _)| signed.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The id of the key that signed the delivery: of the active ones that did, the first that was set up.
    #[expect(
        clippy::indexing_slicing,
        reason = "the place was counted over these very keys, which never change"
    )]
    pub fn key(&self) -> &KeyId {
        &self.sender.keys[self.key].0
    }

    /// The timestamp that the sender signed, where the scheme signs one.
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.timestamp
    }

    /// A name for what was signed, to notice a replay or a plain retry by: keep those that were handled, for as long
    /// as a replay would matter.
    ///
    /// It depends on the sender's name, the signed bytes and, for an HMAC, on the verifier's first key: not on which signature or key
    /// matched, nor on how the signature was written, so that nobody can vary it. A retry that signs something new (a
    /// timestamp, the number of an attempt) has another, and so have all deliveries once the first key was changed.
    pub fn fingerprint(&self) -> Fingerprint {
        self.computed.fingerprint(self.scheme())
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sender", &self.scheme().name())
            .field("key", self.key())
            .field("timestamp", &self.timestamp)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// A name for a delivery's signed bytes: 32 bytes, of which nothing can be forged.
///
/// `Display` writes 64 hex digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// A computed signature or digest, kept until somebody asks for its fingerprint: nothing else is made of it. Of one that is
/// longer than 32 bytes the SHA-256 is kept.
#[derive(Clone)]
pub(crate) struct Computed {
    bytes: [u8; 32],
    length: usize,
}

impl Computed {
    pub(crate) fn new(computed: &[u8]) -> Self {
        let mut bytes = [0; 32];
        match bytes.get_mut(..computed.len()) {
            Some(kept) => kept.copy_from_slice(computed),
            None => bytes = Sha256::digest(computed).into(),
        }
        Self { bytes, length: computed.len().min(32) }
    }

    /// The SHA-256 of the sender's name, a zero byte and what was computed, which tells nothing of it. Without the name two
    /// senders' deliveries of the same content could have one fingerprint.
    fn fingerprint(&self, scheme: &Scheme) -> Fingerprint {
        let computed = self.bytes.get(..self.length).unwrap_or_default();
        let hash = Sha256::new().chain_update(scheme.name()).chain_update([0]).chain_update(computed);
        Fingerprint(hash.finalize().into())
    }
}

impl Fingerprint {
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
