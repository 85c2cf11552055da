//! A running verification.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    keys::{key::Activity, ring::Running},
    log,
    verdicts::{
        kind::RejectionKind,
        rejection::{Detail, Fault, Rejection},
        verified::Verified,
    },
    verifying::sender::{Admitted, Sender},
};

/// Limit on empty chunks: each costs time, and none counts towards the body limit.
const MOST_EMPTY_CHUNKS: u16 = 1024;

/// A verification whose headers passed; the body is still to come.
///
/// Nothing is proven until [`finish`](Self::finish) returns a [`Verified`].
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{Secret, Verifier, senders};
///
/// let secret = Secret::new("secret123").dangerously_accept_placeholder(); // a public sample
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", secret).build()?;
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
    running: Box<dyn Running>,
    received: usize,
    empty_chunks: u16,
    failed: Option<RejectionKind>,
}

impl Verification {
    pub(crate) fn new(sender: Arc<Sender>, now: SystemTime, admitted: Admitted) -> Self {
        let mut running = sender.ring.start(&admitted.claimed);
        if let Some(parts) = &admitted.parts {
            running.update(parts.before_body());
        }
        Self { sender, now, admitted, running, received: 0, empty_chunks: 0, failed: None }
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    ///
    /// # Errors
    /// [`BodyTooLarge`](RejectionKind::BodyTooLarge) once the body exceeds its limit, and
    /// [`BodyUnreadable`](RejectionKind::BodyUnreadable) after more than 1024 empty chunks. From then on the verification
    /// can only fail.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), Rejection> {
        self.admit(chunk.len())?;
        self.hash(chunk);
        Ok(())
    }

    /// Counts a chunk of this length, whose bytes [`hash`](Self::hash) takes later.
    #[inline]
    pub(crate) fn admit(&mut self, length: usize) -> Result<(), Rejection> {
        if let Some(kind) = self.failed {
            return Err(self.sender.reject(kind));
        }
        self.received = self.received.saturating_add(length);
        if self.received > self.body_limit() {
            return Err(self.fail(RejectionKind::BodyTooLarge));
        }
        if length == 0 {
            self.empty_chunks = self.empty_chunks.saturating_add(1);
            if self.empty_chunks > MOST_EMPTY_CHUNKS {
                return Err(self.fail(RejectionKind::BodyUnreadable));
            }
        }
        Ok(())
    }

    pub(crate) fn hash(&mut self, bytes: &[u8]) {
        self.admitted.covered.update(bytes, &mut *self.running);
    }

    /// Decides, after the last byte of the body.
    ///
    /// # Errors
    /// [`SignatureMismatch`](RejectionKind::SignatureMismatch) if no key made any of the claimed signatures,
    /// [`KeyExpired`](RejectionKind::KeyExpired) or [`KeyNotYetActive`](RejectionKind::KeyNotYetActive) if only an
    /// inactive key did, [`FormMalformed`](RejectionKind::FormMalformed) or
    /// [`BodyDigestMismatch`](RejectionKind::BodyDigestMismatch) if the scheme signs a form or a digest and the body does
    /// not match it, and the rejection of [`update`](Self::update) again if it returned one.
    pub fn finish(self) -> Result<Verified, Rejection> {
        let Self { sender, now, admitted, mut running, received, failed, .. } = self;
        log::body_received(received);
        if let Some(kind) = failed {
            return Err(sender.reject(kind));
        }
        let Admitted { claimed, timestamp, parts, covered, .. } = admitted;
        let is_covered = covered.finish(&mut *running).map_err(|kind| sender.reject(kind))?;
        if let Some(parts) = &parts {
            running.update(parts.after_body());
        }
        let comparison = running.finish(&claimed);
        let (mut active, mut several, mut inactive) = (None, false, None);
        let is_refused = sender.profile.tenancy.refusal().is_some();
        let keys = sender.keys.iter().zip(&comparison.made_by_key);
        for (key, _) in keys.filter(|(_, made)| **made && !is_refused) {
            match key.period.activity(now) {
                Activity::Active => {
                    several = active.is_some();
                    active = active.or(Some(key));
                }
                Activity::Expired => inactive = inactive.or(Some((RejectionKind::KeyExpired, key))),
                Activity::NotYet => inactive = inactive.or(Some((RejectionKind::KeyNotYetActive, key))),
            }
        }
        if is_covered && (active.is_some() || inactive.is_some()) {
            sender.used(comparison.made_by_key, active.filter(|_| !several), now);
        }
        match (active, inactive) {
            (Some(_), _) if !is_covered => Err(sender.reject(RejectionKind::BodyDigestMismatch)),
            (Some(key), _) => {
                log::verified(sender.scheme().name(), sender.profile.tenancy.tenant(), key.id.as_str());
                Ok(Verified {
                    profile: Arc::clone(&sender.profile),
                    key: key.id.clone(),
                    timestamp,
                    parts,
                    computed: comparison.computed,
                })
            }
            (None, Some((kind, key))) => Err(sender.reject(Fault::new(kind, Detail::Key(key.id.clone())))),
            (None, None) => Err(sender.reject(RejectionKind::SignatureMismatch)),
        }
    }

    /// Ends the verification of a body that broke off; returns the rejection to answer with, if anyone still listens.
    pub fn body_unreadable(&self) -> Rejection {
        self.sender.reject(RejectionKind::BodyUnreadable)
    }

    /// Ends the verification of a body that did not arrive in time.
    pub fn body_timeout(&self) -> Rejection {
        self.sender.reject(RejectionKind::BodyTimeout)
    }

    pub(crate) fn fail(&mut self, kind: RejectionKind) -> Rejection {
        self.failed = Some(kind);
        self.sender.reject(kind)
    }

    #[inline]
    pub(crate) fn body_limit(&self) -> usize {
        self.sender.profile.body_limit
    }
}

#[cfg(feature = "bytes")]
impl Verification {
    /// The value of `Content-Length`, if one was sent.
    #[inline]
    pub(crate) fn announced(&self) -> Option<usize> {
        self.admitted.announced
    }

    /// The name of the sender.
    pub(crate) fn sender(&self) -> &str {
        self.sender.scheme().name()
    }

    /// The bytes received so far.
    #[inline]
    pub(crate) fn received(&self) -> usize {
        self.received
    }

    /// How often each byte of the body is hashed, at most.
    pub(crate) fn passes(&self) -> usize {
        self.sender.profile.keys.len()
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("sender", &self.sender.scheme().name())
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
