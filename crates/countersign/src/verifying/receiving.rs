//! What an adapter's future does until there is a verdict (feature `bytes`).

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;

use crate::{
    verdicts::rejection::Rejection,
    verifying::{
        budget::{BodyBudget, Reservation},
        buffered::{BufferedVerification, VerifiedDelivery},
        meter::Meter,
        source::{Begun, Choosing, VerifierSource},
    },
    wire::headers::Headers,
};

/// One delivery on its way from the head to the verdict, for the future of an adapter. `T` is the runtime's timer.
///
/// ```
/// use std::{convert::Infallible, future::pending, task::{Context, Poll, Waker}, time::SystemTime};
/// use bytes::Bytes;
/// use countersign::{Receiving, Secret, Verifier, senders};
///
/// let secret = Secret::new("secret123").dangerously_accept_placeholder(); // a public sample
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", secret).build()?;
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
/// let mut chunks = ["{'test':", "'test2'}"].into_iter().map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
///
/// // An adapter passes `body_timeout`, `tokio::time::sleep`, and the context of the future that polls this one.
/// let mut receiving = Receiving::new(SystemTime::now(), None, |_| pending());
/// let mut cx = Context::from_waker(Waker::noop());
/// match receiving.poll(&mut cx, &verifier.into(), &headers, None, |_| Poll::Ready(chunks.next())) {
///     Poll::Ready(Ok((delivery, _reservation))) => assert_eq!(&delivery.body()[..], b"{'test':'test2'}"),
///     Poll::Ready(Err(rejection)) => panic!("{rejection}"),
///     Poll::Pending => panic!("every chunk is ready"),
/// }
/// # Ok::<(), countersign::BuildError>(())
/// ```
#[must_use = "nothing is verified until it is polled"]
pub struct Receiving<T> {
    stage: Stage,
    body_timeout: Option<Duration>,
    start_timer: fn(Duration) -> T,
    timer: Option<Pin<Box<T>>>,
    meter: Meter,
}

#[expect(clippy::large_enum_variant, reason = "a box would cost every delivery an allocation")]
enum Stage {
    /// The time at which the request arrived.
    Head(SystemTime),
    /// The same, while the verifier is chosen.
    Choosing(SystemTime, Choosing),
    Body(BufferedVerification),
    Ended,
}

impl<T: Future<Output = ()>> Receiving<T> {
    /// Starts with a request that arrived `now`.
    ///
    /// `start_timer`, such as `tokio::time::sleep`, is called with `body_timeout` the first time that the body is not
    /// ready. Without a `body_timeout` the body may take for ever.
    pub fn new(now: SystemTime, body_timeout: Option<Duration>, start_timer: fn(Duration) -> T) -> Self {
        Self { stage: Stage::Head(now), body_timeout, start_timer, timer: None, meter: Meter::new() }
    }

    /// Measures time with this clock, such as `std::time::Instant::now`, for the feature `metrics`. Without one, no duration is
    /// recorded.
    pub fn timed_by(mut self, clock: fn() -> Instant) -> Self {
        self.meter.set_clock(clock);
        self
    }

    /// Returns the verdict once the body is complete or late.
    ///
    /// `source`, `headers` and `budget` are read until the verification has begun: at the first poll, unless the verifier has to be
    /// waited for. `next` yields the body's chunks, then `None`, and is not called before. Keep the
    /// reservation that comes with a verified delivery for as long as its body is in memory, for example until the request
    /// is answered.
    ///
    /// The work is done in turns of 256 chunks or 128 KiB, divided by the number of keys. After a turn, the future wakes
    /// its task and returns `Pending`, so that a large body does not delay a worker's other requests. Polling again after
    /// completion returns `Pending`.
    ///
    /// # Errors
    /// Before anything is asked of `next`: those of [`Verifier::begin`](crate::Verifier::begin), and
    /// [`BudgetExhausted`](crate::RejectionKind::BudgetExhausted) if the budget has less left than `Content-Length`, or than
    /// the body limit if there is none.
    ///
    /// After that: those of [`Verification::update`](crate::Verification::update) and
    /// [`finish`](crate::Verification::finish), [`BudgetExhausted`](crate::RejectionKind::BudgetExhausted) if more bytes
    /// arrive than were announced and the budget is used up, [`BodyUnreadable`](crate::RejectionKind::BodyUnreadable) if
    /// `next` fails, and [`BodyTimeout`](crate::RejectionKind::BodyTimeout).
    pub fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        source: &VerifierSource,
        headers: &(impl Headers + ?Sized),
        budget: Option<&BodyBudget>,
        next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Result<(VerifiedDelivery, Option<Reservation>), Rejection>> {
        let turn = self.meter.begin_turn();
        let begun = match mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Body(verification) => Ok(verification),
            Stage::Head(now) => match source.begin(headers, now) {
                Begun::Now(begun) => self.begun(begun, budget),
                Begun::Later(choosing) => ready!(self.poll_choosing(cx, choosing, headers, now, budget)),
            },
            Stage::Choosing(now, choosing) => {
                ready!(self.poll_choosing(cx, choosing, headers, now, budget))
            }
            Stage::Ended => return Poll::Pending,
        };
        let mut verification = begun?;
        // The body first: one that is complete by now is not late.
        let received = match verification.poll_receive(cx, next) {
            Poll::Ready(received) => received,
            Poll::Pending if self.poll_timer(cx).is_ready() => Err(verification.body_timeout()),
            Poll::Pending => {
                self.stage = Stage::Body(verification);
                self.meter.end_turn(turn);
                return Poll::Pending;
            }
        };
        let bytes = verification.received();
        let verdict = received.and_then(|()| verification.deliver());
        self.meter.end(turn, bytes, verdict.is_ok());
        Poll::Ready(verdict)
    }

    /// Begins once the verifier is chosen.
    fn poll_choosing(
        &mut self,
        cx: &mut Context<'_>,
        mut choosing: Choosing,
        headers: &(impl Headers + ?Sized),
        now: SystemTime,
        budget: Option<&BodyBudget>,
    ) -> Poll<Result<BufferedVerification, Rejection>> {
        let Poll::Ready(chosen) = choosing.as_mut().poll(cx) else {
            self.stage = Stage::Choosing(now, choosing);
            return Poll::Pending;
        };
        let begun = chosen.and_then(|verifier| verifier.begin_buffered(headers, now));
        Poll::Ready(self.begun(begun, budget))
    }

    /// The verification, with room for its body.
    fn begun(
        &mut self,
        begun: Result<BufferedVerification, Rejection>,
        budget: Option<&BodyBudget>,
    ) -> Result<BufferedVerification, Rejection> {
        let mut verification = begun?;
        if let Some(budget) = budget {
            verification.reserve(budget)?;
        }
        self.meter.begin_body(verification.sender());
        Ok(verification)
    }

    /// Ready once the body is late.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.body_timeout else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin((self.start_timer)(limit)));
        timer.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Receiving<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Head(_) => "Receiving(head)",
            Stage::Choosing(..) => "Receiving(choosing)",
            Stage::Body(_) => "Receiving(body)",
            Stage::Ended => "Receiving(ended)",
        })
    }
}
