//! A verification that keeps the body for the handler (feature `bytes`).

use std::{
    fmt,
    ops::Deref,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use bytes::Bytes;

#[cfg(feature = "identity")]
use crate::verdicts::identified::Identified;
use crate::{
    verdicts::{kind::RejectionKind, rejection::Rejection, verified::Verified},
    verifying::{
        budget::{BodyBudget, Reservation},
        buffer::Buffer,
        verification::Verification,
        verifier::Verifier,
    },
    wire::headers::Headers,
};

/// A verification that keeps the body, so that a handler gets exactly what was verified.
///
/// A body of one chunk is handed on uncopied. Several chunks are copied into one buffer as they arrive, so a body in a
/// million small chunks takes no more memory than in one. Start one with
/// [`Verifier::begin_buffered`](crate::Verifier::begin_buffered).
///
/// ```
/// use std::time::SystemTime;
/// use bytes::Bytes;
/// use countersign::{Secret, Verifier, senders};
///
/// let secret = Secret::new("secret123").dangerously_accept_placeholder(); // a public sample
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", secret).build()?;
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
///
/// let mut verification = verifier.begin_buffered(&headers, SystemTime::now())?;
/// verification.update(Bytes::from_static(b"{'test':'test2'}"))?;
/// let delivery = verification.finish()?;
/// assert_eq!((delivery.key().as_str(), &delivery.body()[..]), ("2026-q1", b"{'test':'test2'}".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a verification proves nothing until it is finished"]
pub struct BufferedVerification {
    verification: Verification,
    body: Buffer,
    /// How many bytes of the body are hashed.
    hashed: usize,
    reservation: Option<Reservation>,
}

/// A verified delivery: the proof, and the body that it covers.
///
/// Only [`BufferedVerification::finish`] and [`Receiving::poll`](crate::Receiving::poll) make one.
#[derive(Clone)]
#[must_use = "it tells which sender and key the delivery came from"]
pub struct VerifiedDelivery {
    verified: Verified,
    body: Bytes,
}

impl VerifiedDelivery {
    /// The bytes that were verified, as they were on the wire.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Says which delivery it is. Each call computes the identity anew.
    #[cfg(feature = "identity")]
    pub fn identify(&self) -> Identified {
        self.verified.identify(&self.body)
    }

    /// Splits the proof from the body, to keep the proof without keeping the body in memory.
    pub fn into_parts(self) -> (Verified, Bytes) {
        (self.verified, self.body)
    }
}

impl Deref for VerifiedDelivery {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

/// Shows only the length of the body.
impl fmt::Debug for VerifiedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedDelivery")
            .field("verified", &self.verified)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// The fewest bytes worth hashing before the body ends: hashing tiny chunks one by one costs more than the hash.
const BYTES_AT_LEAST: usize = 4 * 1024;

/// The bytes hashed in one turn with one key: about 0.1 ms with SHA-256 instructions.
const BYTES_PER_TURN: usize = 128 * 1024;

/// The chunks taken in one turn, which may all be tiny.
const CHUNKS_PER_TURN: usize = 256;

impl Verifier {
    /// Makes the checks of [`begin`](Self::begin), then keeps the body for the handler.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub fn begin_buffered(
        &self,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
    ) -> Result<BufferedVerification, Rejection> {
        let verification = self.begin(headers, now)?;
        Ok(BufferedVerification { verification, body: Buffer::new(), hashed: 0, reservation: None })
    }
}

impl BufferedVerification {
    /// Takes the next bytes of the body, exactly as they arrived.
    ///
    /// # Errors
    /// Those of [`Verification::update`].
    pub fn update(&mut self, chunk: Bytes) -> Result<(), Rejection> {
        self.accept(chunk)?;
        self.hash(usize::MAX);
        Ok(())
    }

    /// Decides, after the last byte of the body.
    ///
    /// # Errors
    /// Those of [`Verification::finish`].
    pub fn finish(self) -> Result<VerifiedDelivery, Rejection> {
        self.deliver().map(|(delivery, _)| delivery)
    }

    /// Ends the verification of a body that broke off: see [`Verification::body_unreadable`].
    pub fn body_unreadable(&self) -> Rejection {
        self.verification.body_unreadable()
    }

    /// Ends the verification of a body that did not arrive in time: see [`Verification::body_timeout`].
    pub fn body_timeout(&self) -> Rejection {
        self.verification.body_timeout()
    }

    /// Reserves room for the body before it is read.
    pub(crate) fn reserve(&mut self, budget: &BodyBudget) -> Result<(), Rejection> {
        self.reservation = budget.reserve(self.most());
        match self.reservation {
            Some(_) => Ok(()),
            None => Err(self.verification.fail(RejectionKind::BudgetExhausted)),
        }
    }

    /// Takes chunks until the body ends, in turns: see [`Receiving::poll`](crate::Receiving::poll).
    pub(crate) fn poll_receive<E>(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Result<(), Rejection>> {
        let per_turn = BYTES_PER_TURN.checked_div(self.verification.passes()).unwrap_or(BYTES_PER_TURN);
        let turn_ends_at = self.hashed.saturating_add(per_turn);
        for _ in 0..CHUNKS_PER_TURN {
            if self.unhashed() >= BYTES_AT_LEAST {
                self.hash(turn_ends_at);
            }
            if self.unhashed() >= BYTES_AT_LEAST {
                break;
            }
            match ready!(next(cx)) {
                Some(Ok(chunk)) => self.accept(chunk)?,
                Some(Err(_)) => {
                    return Poll::Ready(Err(self.verification.fail(RejectionKind::BodyUnreadable)));
                }
                None => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The verdict with the reservation, which lasts as long as the body is in memory.
    pub(crate) fn deliver(mut self) -> Result<(VerifiedDelivery, Option<Reservation>), Rejection> {
        self.hash(usize::MAX);
        let verified = self.verification.finish()?;
        Ok((VerifiedDelivery { verified, body: self.body.into() }, self.reservation))
    }

    /// The name of the sender.
    pub(crate) fn sender(&self) -> &str {
        self.verification.sender()
    }

    /// The bytes received so far.
    pub(crate) fn received(&self) -> usize {
        self.verification.received()
    }

    /// Takes the next bytes and leaves their hashing to [`hash`](Self::hash).
    #[inline]
    fn accept(&mut self, chunk: Bytes) -> Result<(), Rejection> {
        self.verification.admit(chunk.len())?;
        let received = self.verification.received();
        if self.reservation.as_mut().is_some_and(|reservation| !reservation.grow(received)) {
            return Err(self.verification.fail(RejectionKind::BudgetExhausted));
        }
        self.body.append(chunk, self.most());
        Ok(())
    }

    #[inline]
    fn unhashed(&self) -> usize {
        self.verification.received().saturating_sub(self.hashed)
    }

    /// Hashes the body up to this many bytes, as far as it has arrived.
    fn hash(&mut self, up_to: usize) {
        let body = self.body.as_ref();
        let up_to = up_to.min(body.len());
        self.verification.hash(body.get(self.hashed..up_to).unwrap_or_default());
        self.hashed = up_to;
    }

    /// The bytes that the body can have: what was announced, or the body limit.
    #[inline]
    fn most(&self) -> usize {
        self.verification.announced().unwrap_or(self.verification.body_limit())
    }
}
