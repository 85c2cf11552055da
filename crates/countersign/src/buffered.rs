//! A verification that keeps the body for the handler (feature `bytes`).

use std::{
    fmt,
    ops::Deref,
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use crate::{
    budget::{BodyBudget, Reservation},
    buffer::Buffer,
    rejection::{Rejection, RejectionKind},
    verification::{Verification, Verified},
};

/// A verification that keeps the body, so that a handler gets what was verified.
///
/// A body of one chunk is handed on uncopied. The chunks of any other are copied into one buffer as they arrive, so that a body
/// in a million small chunks costs no more than in one. The buffer grows to sixteen times of what arrived, up to what was
/// announced or the body limit. Free buffers of 256 KiB and more are kept for the bodies to come, not wiped: 4 MiB of them at the
/// most, in the whole process. [`Verifier::begin_buffered`](crate::Verifier::begin_buffered) makes one.
///
/// ```
/// use std::time::SystemTime;
/// use bytes::Bytes;
/// use countersign::{Secret, Verifier, senders};
///
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", Secret::new("secret123")).build()?;
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
    body: Body,
    hashed: usize,
    reservation: Option<Reservation>,
}

/// A verified delivery: the proof, and the body that it was made for.
///
/// Only [`BufferedVerification::finish`] and [`Receiving::poll`](crate::Receiving::poll) make one.
#[derive(Clone)]
#[must_use = "it says which sender and key the delivery came from"]
pub struct VerifiedDelivery {
    verified: Verified,
    body: Bytes,
}

impl VerifiedDelivery {
    /// The bytes that were verified, as they were on the wire.
    ///
    /// Those of a large body in several chunks lie in a buffer that is kept for later bodies as soon as no clone of them is left:
    /// what makes a `Vec<u8>` or a `BytesMut` of them copies them.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The proof and the body, apart: so that a proof that is kept for longer than the request does not keep the body with it.
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

/// Of the body, only the length is shown.
impl fmt::Debug for VerifiedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedDelivery")
            .field("verified", &self.verified)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// What is hashed at the least before the body's end, in bytes: a call costs what a block does.
const HASHED_AT_LEAST: usize = 4 * 1024;

/// What is hashed at once with one key, in bytes: a tenth of a millisecond with SHA-256 instructions.
const HASHED_AT_ONCE: usize = 128 * 1024;

/// The chunks that are taken at once: they may be tiny, and always ready.
const CHUNKS_AT_ONCE: usize = 256;

enum Body {
    One(Bytes),
    Many(Buffer),
}

/// What a body says is its sender's business: only its length is shown.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_ref().len())
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::One(only) => only,
            Self::Many(buffer) => buffer.as_ref(),
        }
    }
}

impl BufferedVerification {
    #[inline]
    pub(crate) fn new(mut verification: Verification) -> Self {
        verification.keep_nothing();
        Self { verification, body: Body::One(Bytes::new()), hashed: 0, reservation: None }
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    ///
    /// # Errors
    /// Those of [`Verification::update`].
    pub fn update(&mut self, chunk: Bytes) -> Result<(), Rejection> {
        self.accept(chunk)?;
        while self.hash_some() {}
        Ok(())
    }

    /// Takes chunks from `next` until it gives none, in turns: see [`Receiving::poll`](crate::Receiving::poll).
    #[inline]
    pub(crate) fn poll_receive<E>(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Result<(), Rejection>> {
        // What is left of a large chunk comes first, a part in each turn.
        if !self.hash_some() {
            let mut taken = 0_usize;
            for _ in 0..CHUNKS_AT_ONCE {
                match ready!(next(cx)) {
                    None => return Poll::Ready(Ok(())),
                    Some(Err(_)) => {
                        return Poll::Ready(Err(self.verification.fail(RejectionKind::BodyUnreadable)));
                    }
                    Some(Ok(chunk)) => {
                        taken = taken.saturating_add(chunk.len());
                        self.accept(chunk)?;
                    }
                }
                if self.hash_some() || taken >= self.at_once() {
                    break;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes the next bytes and leaves their hashing to [`hash_some`](Self::hash_some).
    #[inline]
    fn accept(&mut self, chunk: Bytes) -> Result<(), Rejection> {
        self.verification.admit(chunk.len())?;
        let received = self.verification.received;
        if self.reservation.as_mut().is_some_and(|reservation| !reservation.grow(received)) {
            return Err(self.verification.fail(RejectionKind::BudgetExhausted));
        }
        let announced = self.verification.announced();
        let limit = self.verification.body_limit();
        let most = announced.filter(|&announced| announced >= received).unwrap_or(limit);
        match &mut self.body {
            _ if chunk.is_empty() => {}
            // Of one that is known to go on, the first chunk is copied at once: the server can use its own buffer again.
            Body::One(first)
                if first.is_empty() && announced.is_none_or(|announced| announced <= received) =>
            {
                *first = chunk;
            }
            Body::One(first) => {
                let mut buffer = Buffer::default();
                buffer.append(first, most, limit);
                buffer.append(&chunk, most, limit);
                self.body = Body::Many(buffer);
            }
            Body::Many(buffer) => buffer.append(&chunk, most, limit),
        }
        Ok(())
    }

    /// Hashes a part of what was accepted and says whether there is more to hash now. Little waits for more: a body in tiny
    /// chunks would cost more calls than hashing.
    #[inline]
    fn hash_some(&mut self) -> bool {
        let received = self.body.as_ref().len();
        let behind = received.saturating_sub(self.hashed);
        if behind < HASHED_AT_LEAST {
            return false;
        }
        let most = self.at_once();
        // What the verdict waits for anyway is hashed with it, on the stack.
        if behind <= most && self.verification.announced() == Some(received) {
            return false;
        }
        self.hash(most);
        behind.saturating_sub(most) >= HASHED_AT_LEAST
    }

    /// What is hashed at once: each key is a pass.
    fn at_once(&self) -> usize {
        HASHED_AT_ONCE.checked_div(self.verification.passes()).unwrap_or(HASHED_AT_ONCE)
    }

    /// Hashes so many bytes of what is behind, or all.
    fn hash(&mut self, most: usize) {
        let behind = self.body.as_ref().get(self.hashed..).unwrap_or_default();
        let (now, _) = behind.split_at_checked(most).unwrap_or((behind, &[]));
        self.verification.hash(now);
        self.hashed = self.hashed.saturating_add(now.len());
    }

    /// Takes the body's part of a budget for all bodies, before it is read.
    ///
    /// # Errors
    /// [`BudgetExhausted`](RejectionKind::BudgetExhausted) where the budget has less left than `Content-Length`, or
    /// the body limit where there is none.
    pub(crate) fn reserve(&mut self, budget: &BodyBudget) -> Result<(), Rejection> {
        let bytes = self.verification.announced().unwrap_or(self.verification.body_limit());
        self.reservation = budget.reserve(bytes);
        match self.reservation {
            Some(_) => Ok(()),
            None => Err(self.verification.fail(RejectionKind::BudgetExhausted)),
        }
    }

    /// The verdict, after the last byte of the body.
    ///
    /// # Errors
    /// Those of [`Verification::finish`].
    #[inline]
    pub fn finish(self) -> Result<VerifiedDelivery, Rejection> {
        let Self { verification, body, hashed, .. } = self;
        let verified = verification.conclude(body.as_ref(), hashed)?;
        let body = match body {
            Body::One(only) => only,
            Body::Many(buffer) => Bytes::from(buffer),
        };
        Ok(VerifiedDelivery { verified, body })
    }

    /// As [`finish`](Self::finish), with the part of the budget.
    #[inline]
    pub(crate) fn deliver(mut self) -> Result<(VerifiedDelivery, Option<Reservation>), Rejection> {
        let reservation = self.reservation.take();
        Ok((self.finish()?, reservation))
    }

    /// Ends the verification of a body that broke off: see [`Verification::body_unreadable`].
    pub fn body_unreadable(&self) -> Rejection {
        self.verification.body_unreadable()
    }

    /// Ends the verification of a body that did not arrive in time: see [`Verification::body_timeout`].
    pub fn body_timeout(&self) -> Rejection {
        self.verification.body_timeout()
    }
}
