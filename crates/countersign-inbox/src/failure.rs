//! Why a handler failed.

use std::{error::Error, fmt, time::Duration};

/// Why a handler did not handle a delivery, and what is to become of it.
///
/// Every error becomes a failure that is [tried again](Self::retry) with `?`.
#[derive(Debug)]
pub struct Failure {
    source: Box<dyn Error + Send + Sync>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Retry,
    RetryAfter(Duration),
    Permanent,
}

impl Failure {
    /// Tries again after the [backoff](crate::Work::backoff), until the [last attempt](crate::Work::max_attempts).
    pub fn retry(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), verdict: Verdict::Retry }
    }

    /// Tries again after `pause`, such as the `Retry-After` of another service, until the last attempt.
    pub fn retry_after(pause: Duration, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), verdict: Verdict::RetryAfter(pause) }
    }

    /// Makes it a dead letter at once: no attempt will ever succeed.
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), verdict: Verdict::Permanent }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The error and its sources, for the table: without NUL, which PostgreSQL cannot store, and not too long.
    pub(crate) fn text(&self) -> String {
        let mut text = self.source.to_string();
        let mut source = self.source.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        tidy(&text)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(source: E) -> Self {
        Self::retry(source)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// A text that both databases store, of at most 2000 characters.
pub(crate) fn tidy(text: &str) -> String {
    text.chars().filter(|&character| character != '\0').take(2000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(fmt::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the report failed")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_is_tried_again_and_its_sources_are_told() {
        let failure = Failure::from(Outer(fmt::Error));
        assert_eq!(failure.verdict(), Verdict::Retry);
        assert_eq!(failure.text(), format!("the report failed: {}", fmt::Error));
    }

    #[test]
    fn a_text_of_any_length_with_nul_can_be_stored() {
        let text = Failure::permanent("a\0b".repeat(10_000)).text();
        assert_eq!(text.chars().count(), 2000);
        assert!(text.starts_with("abab"));
    }
}
