//! How long to wait before the next attempt.

use std::time::Duration;

/// Pauses between attempts: each twice as long as the one before, up to a longest, less a random part of up to a half.
///
/// The random part keeps deliveries that failed together from coming back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts with `first` and never waits longer than `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after attempt number `attempt`, the first being 1.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(63);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let whole = u64::try_from(self.first.as_nanos()).unwrap_or(u64::MAX).saturating_mul(factor);
        let whole = Duration::from_nanos(whole).min(self.longest);
        whole.mul_f64(fastrand::f64().mul_add(0.5, 0.5))
    }
}

impl Default for Backoff {
    /// From 1 second to 1 hour.
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60 * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_between_half_and_all_of_twice_the_last_and_never_over_the_longest() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        for (attempt, seconds) in
            [(0, 1.0), (1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (u32::MAX, 60.0)]
        {
            for _ in 0..100 {
                let pause = backoff.pause(attempt).as_secs_f64();
                assert!((seconds / 2.0..=seconds).contains(&pause), "{attempt}: {pause}");
            }
        }
    }

    #[test]
    fn pauses_of_deliveries_that_failed_together_differ() {
        let backoff = Backoff::default();
        let pauses: std::collections::HashSet<_> = (0..100).map(|_| backoff.pause(5)).collect();
        assert!(pauses.len() > 90);
    }

    #[test]
    fn extremes_do_not_overflow() {
        assert!(Backoff::new(Duration::MAX, Duration::MAX).pause(u32::MAX) <= Duration::MAX);
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO).pause(9), Duration::ZERO);
    }
}
