//! How long an adapter goes on reading a request that it has refused (feature `bytes`).

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;

/// Bounds on the part of a refused body that is read and thrown away after the answer.
///
/// A refusal is decided and answered before the body is read. A server that then closes the connection makes the kernel reset
/// it, because bytes are left unread, and the reset destroys the answer of a sender that is still writing. So the guard lets
/// the sender finish: it discards what still arrives, without keeping or hashing it, until the body ends or one of two bounds
/// is reached. nginx calls this `lingering_close`.
///
/// The default is 32 MiB and 5 seconds. It is longer than that of Go's `net/http` (256 KiB, then 500 ms) and stricter than
/// that of nginx (30 seconds, any number of bytes): the largest payload of a sender that is named here is GitHub's, of 25 MB.
/// A body that announces more than the bound is read up to the bound all the same: a sender that reads while it writes sees
/// the answer by then, any other one sees the connection reset.
///
/// An attacker gains a connection for the length of the time bound and makes the server read what they send. Both cost them as
/// much as the server, and no memory is held.
///
/// ```
/// use std::time::Duration;
/// use countersign::Linger;
///
/// let short = Linger::new(4 << 20, Duration::from_secs(2));
/// assert_ne!(short, Linger::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linger {
    bytes: usize,
    time: Duration,
}

impl Linger {
    /// The guard discards nothing: the connection closes with the answer, which a sender that is still writing may not see.
    pub const OFF: Self = Self::new(0, Duration::ZERO);

    /// Discards at most this many bytes, and for at most this long in total, however slowly they come.
    pub const fn new(bytes: usize, time: Duration) -> Self {
        Self { bytes, time }
    }

    /// Whether a bound is zero, so that nothing is discarded.
    pub const fn is_off(self) -> bool {
        self.bytes == 0 || self.time.is_zero()
    }

    /// Discards chunks until the body has ended or failed, or a bound is reached.
    ///
    /// For adapters: `timer` is the runtime's, such as `tokio::time::sleep`, and starts with the first poll. `next` gives the
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
        let mut taken = 0;
        let discarding = linger.discard(timer, |_| {
            taken += 1;
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
