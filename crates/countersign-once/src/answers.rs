//! Answers in place of the handler's, for adapters.

use std::time::Duration;

use crate::{BuildError, Decision, Outcome, Running};

/// The answers to deliveries whose handler does not run. Adapters for web frameworks share them.
///
/// | decision | status | `Retry-After` |
/// |---|---|---|
/// | [`Decision::Duplicate`] | [`duplicate_status`](Self::duplicate_status) | none |
/// | [`Decision::InProgress`] | [`in_progress_status`](Self::in_progress_status) | the lease that is left, if the store knows it, otherwise [`retry_after`](Self::retry_after) |
/// | [`Decision::Unavailable`] | 503 | [`retry_after`](Self::retry_after) |
#[derive(Clone, Copy, Debug)]
pub struct Answers {
    duplicate: u16,
    in_progress: u16,
    retry_after: Duration,
}

/// An answer in place of the handler's. It has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Why the handler does not run. It is the operator's to know: the caller sees the status alone.
    pub outcome: Outcome,
    /// The HTTP status.
    pub status: u16,
    /// The value of the header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

impl Answers {
    /// The status of duplicates; 200 by default. It must be a success, because the sender repeats everything else.
    ///
    /// # Errors
    ///
    /// [`BuildError::DuplicateStatus`]: the status is not one of 200 to 299.
    pub fn duplicate_status(self, status: u16) -> Result<Self, BuildError> {
        match status {
            200..=299 => Ok(Self { duplicate: status, ..self }),
            _ => Err(BuildError::DuplicateStatus(status)),
        }
    }

    /// The status while another attempt is in the handler; 503 by default. Choose one after which the sender tries again.
    ///
    /// # Errors
    ///
    /// [`BuildError::InProgressStatus`]: the status is not one of 400 to 599. After a success, the sender would forget a
    /// delivery whose handler may still fail.
    pub fn in_progress_status(self, status: u16) -> Result<Self, BuildError> {
        match status {
            400..=599 => Ok(Self { in_progress: status, ..self }),
            _ => Err(BuildError::InProgressStatus(status)),
        }
    }

    /// How long a refused sender should wait if the store cannot tell; 30 seconds by default.
    pub fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: time, ..self }
    }

    /// Returns the permission to run the handler, or the answer in its place.
    ///
    /// # Errors
    ///
    /// The handler must not run. It is not a failure: a duplicate is answered with success.
    pub fn run_or_answer(&self, decision: Decision) -> Result<Running, Answer> {
        let outcome = decision.outcome();
        let (status, wait) = match decision {
            Decision::Handle(running) => return Ok(running),
            Decision::Duplicate => (self.duplicate, None),
            Decision::InProgress { lease_left } => {
                (self.in_progress, Some(lease_left.unwrap_or(self.retry_after)))
            }
            Decision::Unavailable(_) => (503, Some(self.retry_after)),
        };
        Err(Answer { outcome, status, retry_after: wait.map(whole_seconds) })
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self { duplicate: 200, in_progress: 503, retry_after: Duration::from_secs(30) }
    }
}

/// Rounded up: a sender that comes early is refused again. At least one, because zero asks for no wait at all.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    fn answer(answers: Answers, decision: Decision) -> Answer {
        answers.run_or_answer(decision).unwrap_err()
    }

    #[test]
    fn retry_after_is_the_lease_left_in_whole_seconds_rounded_up() {
        let wait = |millis| {
            let lease_left = Some(Duration::from_millis(millis));
            answer(Answers::default(), Decision::InProgress { lease_left }).retry_after
        };
        assert_eq!([0, 1, 1000, 1001, 59_500].map(wait), [1, 1, 1, 2, 60].map(Some));
        let endless = Decision::InProgress { lease_left: Some(Duration::MAX) };
        assert_eq!(answer(Answers::default(), endless).retry_after, Some(u64::MAX));
    }

    #[test]
    fn retry_after_is_the_setting_where_the_store_cannot_tell() {
        let answers = Answers::default().retry_after(Duration::from_secs(7));
        assert_eq!(answer(answers, Decision::InProgress { lease_left: None }).retry_after, Some(7));
        let away = answer(answers, Decision::Unavailable(StoreError::new("away")));
        assert_eq!(away, Answer { outcome: Outcome::Unavailable, status: 503, retry_after: Some(7) });
        assert_eq!(answer(answers, Decision::Duplicate).retry_after, None);
    }

    #[test]
    fn only_a_success_answers_a_duplicate_and_only_an_error_answers_one_in_progress() {
        let answers = Answers::default();
        for status in [200, 204, 299] {
            let answers = answers.duplicate_status(status).unwrap();
            assert_eq!(answer(answers, Decision::Duplicate).status, status);
            let error = answers.in_progress_status(status).unwrap_err();
            assert!(matches!(error, BuildError::InProgressStatus(named) if named == status), "{error}");
        }
        for status in [400, 409, 425, 429, 503, 599] {
            let answers = answers.in_progress_status(status).unwrap();
            assert_eq!(answer(answers, Decision::InProgress { lease_left: None }).status, status);
            let error = answers.duplicate_status(status).unwrap_err();
            assert!(matches!(error, BuildError::DuplicateStatus(named) if named == status), "{error}");
        }
        for status in [0, 100, 199, 300, 304, 399, 600, 999] {
            assert!(matches!(answers.duplicate_status(status), Err(BuildError::DuplicateStatus(_))));
            assert!(matches!(answers.in_progress_status(status), Err(BuildError::InProgressStatus(_))));
        }
    }
}
