//! What an adapter's future does until there is a verdict (feature `bytes`).

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use crate::{
    budget::{BodyBudget, Reservation},
    buffered::{BufferedVerification, VerifiedDelivery},
    headers::Headers,
    rejection::Rejection,
    verifier::Verifier,
};

/// One delivery on its way from the head to the verdict, for the future of an adapter; `T` is the runtime's timer.
///
/// The first poll checks the head and takes what there is of the body, which is all of it for most deliveries: until then
/// there is nothing to keep, and a future that is moved from layer to layer stays small. Where a time is checked it is the
/// machine's.
///
/// ```
/// use std::{convert::Infallible, future::pending, task::{Context, Poll, Waker}};
/// use bytes::Bytes;
/// use countersign::{Receiving, Secret, Verifier, senders};
///
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", Secret::new("secret123")).build()?;
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
/// let mut chunks = ["{'test':", "'test2'}"].into_iter().map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
///
/// // In an adapter, `Receiving::new(body_timeout, tokio::time::sleep)`, and the context of the future that polls it.
/// let mut receiving = Receiving::new(None, |_| pending());
/// let mut cx = Context::from_waker(Waker::noop());
/// match receiving.poll(&mut cx, &verifier, &headers, None, |_| Poll::Ready(chunks.next())) {
///     Poll::Ready(Ok((delivery, _reservation))) => assert_eq!(&delivery.body()[..], b"{'test':'test2'}"),
///     Poll::Ready(Err(rejection)) => panic!("{rejection}"),
///     Poll::Pending => panic!("all chunks are there"),
/// }
/// # Ok::<(), countersign::BuildError>(())
/// ```
#[must_use = "nothing is verified until it is polled"]
pub struct Receiving<T> {
    stage: Stage,
    deadline: Deadline<T>,
}

enum Stage {
    Head,
    Body(Box<BufferedVerification>),
    Ended,
}

/// When the body has to be there. A timer is dear beside a small body, so there is none until one is needed.
enum Deadline<T> {
    /// No limit was set.
    None,
    /// The body has not kept us waiting.
    Unset(Duration, fn(Duration) -> T),
    /// It has, for what is left of the task's turn: a server reads the head first and has the body next.
    Deferred(Duration, fn(Duration) -> T),
    Set(Pin<Box<T>>),
}

impl<T: Future<Output = ()>> Receiving<T> {
    /// Nothing has happened yet. The timer, such as `tokio::time::sleep`, starts when the body has kept two polls waiting, the
    /// second of which the first asks for; without a `body_timeout` the body may take for ever.
    pub fn new(body_timeout: Option<Duration>, timer: fn(Duration) -> T) -> Self {
        let deadline = body_timeout.map_or(Deadline::None, |limit| Deadline::Unset(limit, timer));
        Self { stage: Stage::Head, deadline }
    }

    /// The verdict, when the body is there or late.
    ///
    /// Only the first poll looks at `verifier`, `headers` and `budget`. `next` gives the body's chunks, and none after the last.
    /// What is verified comes with its part of the budget, to be kept for as long as the body is: until the request is
    /// answered, say.
    ///
    /// It works in turns of 256 chunks or 128 KiB, and less for several keys, after which it wakes its task and is pending: a
    /// large body, or one in a million chunks that are all there, keeps no worker from its other requests. After its end it is
    /// pending for ever.
    ///
    /// # Errors
    /// Those of [`Verifier::begin`], and [`BudgetExhausted`](crate::RejectionKind::BudgetExhausted) where the budget has less left than
    /// `Content-Length`, or the body limit where there is none, before anything is asked of `next`; those of
    /// [`Verification::update`](crate::Verification::update) and [`finish`](crate::Verification::finish);
    /// [`BudgetExhausted`](crate::RejectionKind::BudgetExhausted) where more bytes arrive than were announced and the budget has
    /// no more, [`BodyUnreadable`](crate::RejectionKind::BodyUnreadable) where `next` fails, and
    /// [`BodyTimeout`](crate::RejectionKind::BodyTimeout).
    #[inline]
    pub fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        verifier: &Verifier,
        headers: &(impl Headers + ?Sized),
        budget: Option<&BodyBudget>,
        next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Result<(VerifiedDelivery, Option<Reservation>), Rejection>> {
        match mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Head => {
                let now = if verifier.depends_on_time() { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
                let mut verification = verifier.begin_buffered(headers, now)?;
                if let Some(budget) = budget {
                    verification.reserve(budget)?;
                }
                match self.poll_body(&mut verification, cx, next)? {
                    Poll::Ready(()) => Poll::Ready(verification.deliver()),
                    Poll::Pending => {
                        self.stage = Stage::Body(Box::new(verification));
                        Poll::Pending
                    }
                }
            }
            Stage::Body(mut verification) => match self.poll_body(&mut verification, cx, next)? {
                Poll::Ready(()) => Poll::Ready(verification.deliver()),
                Poll::Pending => {
                    self.stage = Stage::Body(verification);
                    Poll::Pending
                }
            },
            Stage::Ended => Poll::Pending,
        }
    }

    #[inline]
    fn poll_body<E>(
        &mut self,
        verification: &mut BufferedVerification,
        cx: &mut Context<'_>,
        next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Result<(), Rejection>> {
        // The body first: one that is complete by now is not late.
        if let received @ Poll::Ready(_) = verification.poll_receive(cx, next) {
            return received;
        }
        ready!(self.deadline.poll(cx));
        Poll::Ready(Err(verification.body_timeout()))
    }
}

impl<T: Future<Output = ()>> Deadline<T> {
    /// Ready when the body is late. To be polled whenever there is nothing of it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match *self {
            Self::None => Poll::Pending,
            Self::Unset(limit, timer) => {
                cx.waker().wake_by_ref();
                *self = Self::Deferred(limit, timer);
                Poll::Pending
            }
            Self::Deferred(limit, timer) => {
                *self = Self::Set(Box::pin(timer(limit)));
                self.poll(cx)
            }
            Self::Set(ref mut timer) => timer.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Receiving<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Head => "Receiving(head)",
            Stage::Body(_) => "Receiving(body)",
            Stage::Ended => "Receiving(ended)",
        })
    }
}
