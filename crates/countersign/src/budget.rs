//! A bound on what all bodies together may take (feature `bytes`).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A bound on the bytes of all bodies that are being received at one time, shared by as many guards as it is given to.
///
/// A body is given its `Content-Length`, or where it announces none the body limit, before it is read, and gives it back when
/// the request is answered. A body that finds less left is refused with
/// [`BudgetExhausted`](crate::RejectionKind::BudgetExhausted), a 503 with `Retry-After`, and not read.
///
/// The 4 MiB of free buffers that may be kept for the bodies to come are no part of it.
///
/// Whoever can make up a signature of the right length can take a part of it for as long as the body timeout allows: set one.
#[derive(Clone)]
pub struct BodyBudget(Arc<Shared>);

struct Shared {
    bytes: usize,
    left: AtomicUsize,
}

impl BodyBudget {
    /// At most this many bytes. Less than a body limit refuses every body of that limit.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Shared { bytes, left: AtomicUsize::new(bytes) }))
    }

    /// The bytes that no body has at this moment.
    pub fn left(&self) -> usize {
        self.0.left.load(Ordering::Relaxed)
    }

    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut reservation = Reservation { budget: self.clone(), bytes: 0 };
        reservation.grow(bytes).then_some(reservation)
    }
}

impl fmt::Debug for BodyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBudget").field("bytes", &self.0.bytes).field("left", &self.left()).finish()
    }
}

/// A part of a [`BodyBudget`], which it gives back when it is dropped.
#[derive(Debug)]
#[must_use = "what is dropped at once reserves nothing"]
pub struct Reservation {
    budget: BodyBudget,
    bytes: usize,
}

impl Reservation {
    /// Grows to this many bytes, or not at all.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let left = &self.budget.0.left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more));
        if taken.is_ok() {
            self.bytes = self.bytes.saturating_add(more);
        }
        taken.is_ok()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_given_back_and_never_more_than_there_is() {
        let budget = BodyBudget::new(10);
        let mut first = budget.reserve(4).unwrap();
        assert!(budget.reserve(7).is_none());
        assert_eq!(budget.left(), 6);
        assert!(first.grow(10) && first.grow(3) && !first.grow(11));
        assert_eq!(budget.left(), 0);
        assert!(budget.reserve(0).is_some());
        drop(first);
        assert_eq!(budget.left(), 10);
    }
}
