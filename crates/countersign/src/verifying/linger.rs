//! How long an adapter goes on reading a request that it has refused (feature `bytes`).

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;

/// Bounds on how much of a refused body is discarded after the answer, in bytes and in time.
///
/// A guard refuses most requests before their body has arrived. If the server then closed the connection, the kernel would
/// reset it because of the bytes left unread, and the reset destroys the answer for a sender that writes its whole body before
/// it reads. So the guard answers at once, and then discards what still arrives, without keeping or hashing it, until the body
/// ends or a bound is reached. nginx calls this `lingering_close`.
///
/// The default is 32 MiB and 5 seconds. nginx lingers for up to 30 seconds, whatever the number of bytes; Go's `net/http` reads
/// 256 KiB and then waits 500 ms. 32 MiB covers GitHub's payloads, which are up to 25 MB.
///
/// A body that announces more than the bound is discarded up to the bound as well. That is time enough for a sender that reads
/// while it writes; any other one sees a reset.
///
/// An attacker can hold a connection for the length of the time bound and make the server read as many bytes as they send, which
/// costs them no less than the server. It costs no memory.
///
/// ```
/// use std::time::Duration;
/// use countersign::Linger;
///
/// // For `linger` of `VerifyWebhookLayer` in tower and axum, of `VerifyWebhook` in actix-web.
/// let short = Linger::new(4 << 20, Duration::from_secs(2));
/// assert!(!short.is_off());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linger {
    bytes: usize,
    time: Duration,
}

impl Linger {
    /// Discards nothing: a sender that is still writing may see a reset instead of the answer.
    pub const OFF: Self = Self::new(0, Duration::ZERO);

    /// Discards about this many bytes at most, to the chunk, and for this long in total, however slowly they arrive.
    pub const fn new(bytes: usize, time: Duration) -> Self {
        Self { bytes, time }
    }

    /// Whether a bound is zero, so that nothing is discarded.
    pub const fn is_off(self) -> bool {
        self.bytes == 0 || self.time.is_zero()
    }

    /// Discards chunks until the body has ended or failed, or a bound is reached.
    ///
    /// For adapters. `timer` is the runtime's, such as `tokio::time::sleep`, and starts with the first poll. `next` gives the
    /// body's chunks, and none after the last.
    pub async fn discard<T: Future<Output = ()>, E>(
        self,
        timer: fn(Duration) -> T,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) {
        let mut timer = pin!(timer(self.time));
        let mut left = self.bytes;
        poll_fn(|cx| {
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            for _ in 0..CHUNKS_AT_ONCE {
                let Some(Ok(chunk)) = ready!(next(cx)) else { return Poll::Ready(()) };
                left = left.saturating_sub(chunk.len());
                if left == 0 {
                    return Poll::Ready(());
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl Default for Linger {
    fn default() -> Self {
        Self::new(32 << 20, Duration::from_secs(5))
    }
}

/// Limit on the chunks of one turn: a body that is always ready must not keep the worker.
const CHUNKS_AT_ONCE: usize = 256;

#[cfg(test)]
mod tests {
    use std::{
        future::{Ready, pending, ready},
        task::Waker,
    };

    use super::*;

    const CHUNK: Bytes = Bytes::from_static(b"chunk");

    /// Whether it ended at the first poll, and how many chunks it took by then.
    fn polled<T: Future<Output = ()>>(
        linger: Linger,
        timer: fn(Duration) -> T,
        mut next: impl FnMut() -> Poll<Option<Result<Bytes, &'static str>>>,
    ) -> (bool, usize) {
        let mut taken = 0_usize;
        let discarding = linger.discard(timer, |_| {
            taken = taken.saturating_add(1);
            next()
        });
        let ended = pin!(discarding).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        (ended, taken)
    }

    fn never(_: Duration) -> impl Future<Output = ()> {
        pending()
    }

    fn at_once(_: Duration) -> Ready<()> {
        ready(())
    }

    #[test]
    fn it_ends_with_the_body_its_failure_or_either_bound() {
        let endless = || Poll::Ready(Some(Ok(CHUNK)));
        let bounds = Linger::new(12, Duration::from_secs(1));
        assert_eq!(polled(bounds, never, endless), (true, 3));
        assert_eq!(polled(bounds, at_once, endless), (true, 0));
        assert_eq!(polled(bounds, never, || Poll::Ready(None)), (true, 1));
        assert_eq!(polled(bounds, never, || Poll::Ready(Some(Err("reset")))), (true, 1));
        assert_eq!(polled(bounds, never, || Poll::Pending), (false, 1));
    }

    #[test]
    fn a_body_that_is_always_ready_does_not_keep_the_worker() {
        let endless = || Poll::Ready(Some(Ok(CHUNK)));
        assert_eq!(polled(Linger::default(), never, endless), (false, CHUNKS_AT_ONCE));
        let empty = || Poll::Ready(Some(Ok(Bytes::new())));
        assert_eq!(polled(Linger::default(), never, empty), (false, CHUNKS_AT_ONCE));
    }

    #[test]
    fn a_bound_of_zero_discards_nothing() {
        for off in [Linger::OFF, Linger::new(0, Duration::MAX), Linger::new(usize::MAX, Duration::ZERO)] {
            assert!(off.is_off());
        }
        assert!(!Linger::default().is_off());
    }
}
