//! Bounds the memory of all bodies together (feature `bytes`).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::log;

/// A body budget: bounds the bytes of all bodies being received at one time, across every guard that shares it.
///
/// Before a body is read, the guard reserves its `Content-Length` (or the body limit if it has none). The reservation is
/// released once the request is answered. If too little is left, the request is rejected with
/// [`BudgetExhausted`](crate::RejectionKind::BudgetExhausted), a 503 with `Retry-After`, and its body is not read.
///
/// An unauthenticated caller can hold a reservation until the body times out, so set a body timeout.
#[derive(Clone)]
pub struct BodyBudget(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    bytes: usize,
    left: AtomicUsize,
}

impl BodyBudget {
    /// A budget of this many bytes. Make it larger than the body limit: a body that does not fit at all is never accepted.
    pub fn new(bytes: usize) -> Self {
        Self::named("default", bytes)
    }

    /// A budget of this many bytes, for a service that has several: their metrics bear the names.
    pub fn named(name: impl AsRef<str>, bytes: usize) -> Self {
        Self(Arc::new(Shared { name: Arc::from(name.as_ref()), bytes, left: AtomicUsize::new(bytes) }))
    }

    /// The bytes that are not reserved at this moment.
    pub fn left(&self) -> usize {
        self.0.left.load(Ordering::Relaxed)
    }

    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut reservation = Reservation { budget: self.clone(), bytes: 0 };
        reservation.grow(bytes).then_some(reservation)
    }

    fn show(&self) {
        log::budget(&self.0.name, self.0.bytes, || self.left());
    }
}

impl fmt::Debug for BodyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBudget")
            .field("name", &self.0.name)
            .field("bytes", &self.0.bytes)
            .field("left", &self.left())
            .finish()
    }
}

/// A part of a [`BodyBudget`], released on drop.
#[derive(Debug)]
#[must_use = "dropping it releases the reservation"]
pub struct Reservation {
    budget: BodyBudget,
    bytes: usize,
}

impl Reservation {
    /// Grows the reservation to this many bytes, if the budget allows it.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let left = &self.budget.0.left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more));
        if taken.is_ok() {
            self.bytes = self.bytes.saturating_add(more);
            self.budget.show();
        }
        taken.is_ok()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.left.fetch_add(self.bytes, Ordering::Relaxed);
        self.budget.show();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_are_released_and_never_exceed_the_budget() {
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
