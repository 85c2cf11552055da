//! What a sender is answered.

use std::time::Duration;

use crate::{AcceptError, Accepted};

/// The answers to what [`Inbox::accept`](crate::Inbox::accept) returns. Adapters for web frameworks share them.
///
/// | result | status | `Retry-After` |
/// |---|---|---|
/// | [`Accepted::New`], [`Accepted::Duplicate`] | 200 | none |
/// | [`AcceptError`] | 503 | [`retry_after`](Self::retry_after) |
#[derive(Clone, Copy, Debug)]
pub struct Answers {
    retry_after: Duration,
}

/// An answer to a delivery. It has no body: the caller sees the status alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The value of the header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

impl Answers {
    /// How long a sender should wait after a 503; 30 seconds by default. Rounded up to whole seconds.
    pub fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: time }
    }

    /// The answer to this result.
    pub fn answer(&self, accepted: &Result<Accepted, AcceptError>) -> Answer {
        match accepted {
            Ok(Accepted::New | Accepted::Duplicate) => Answer { status: 200, retry_after: None },
            Err(_) => Answer { status: 503, retry_after: Some(whole_seconds(self.retry_after)) },
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self { retry_after: Duration::from_secs(30) }
    }
}

/// Rounded up, because a sender that comes early is refused again. At least one, because zero asks for no wait at all.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_in_whole_seconds_rounded_up() {
        let full = Err(AcceptError::Full { limit: 1 });
        let answer = |millis| Answers::default().retry_after(Duration::from_millis(millis)).answer(&full);
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_500, 60)] {
            assert_eq!(answer(millis), Answer { status: 503, retry_after: Some(seconds) });
        }
        assert_eq!(Answers::default().answer(&full).retry_after, Some(30));
        assert_eq!(Answers::default().retry_after(Duration::MAX).answer(&full).retry_after, Some(u64::MAX));
    }

    #[test]
    fn a_duplicate_is_answered_as_a_new_delivery_is() {
        let answers = Answers::default();
        let success = Answer { status: 200, retry_after: None };
        assert_eq!(
            [Accepted::New, Accepted::Duplicate].map(|accepted| answers.answer(&Ok(accepted))),
            [success; 2]
        );
    }
}
