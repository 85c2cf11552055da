//! What the feature `metrics` counts. Without it, all of this is empty.

#[cfg(feature = "metrics")]
use std::{sync::Arc, time::Instant};

#[cfg(feature = "metrics")]
use ::metrics::{SharedString, counter, histogram};

#[cfg(feature = "metrics")]
use crate::metrics::{CLAIMS_ENDED, DECISIONS, STORE_CALL_DURATION, UNKNOWN_SENDER};
use crate::{Fence, Outcome, StoreError, call::End};

/// The sender of a delivery, as a label.
#[derive(Clone)]
pub(crate) struct Sender {
    #[cfg(feature = "metrics")]
    name: SharedString,
}

/// A method of the store, as a label.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is read for metrics only"))]
pub(crate) struct Method(&'static str);

impl Method {
    pub(crate) const CLAIM: Self = Self("claim");
    pub(crate) const EXTEND: Self = Self("extend");

    pub(crate) fn of(end: End) -> Self {
        match end {
            End::Complete(_) => Self("complete"),
            End::Release => Self("release"),
        }
    }
}

#[cfg(feature = "metrics")]
impl Sender {
    pub(crate) fn unknown() -> Self {
        Self { name: SharedString::const_str(UNKNOWN_SENDER) }
    }

    pub(crate) fn named(name: &str) -> Self {
        Self { name: SharedString::from_shared(Arc::from(name)) }
    }

    pub(crate) fn decided(&self, outcome: Outcome) {
        counter!(DECISIONS, "sender" => self.name.clone(), "outcome" => outcome.as_str()).increment(1);
    }

    pub(crate) fn ended(&self, end: End, fence: Fence) {
        self.count_end(match (fence, end) {
            (Fence::Passed, End::Complete(_)) => "completed",
            (Fence::Passed, End::Release) => "released",
            (Fence::Lost, _) => "lost",
        });
    }

    /// Nobody goes on trying to end the claim.
    pub(crate) fn gave_up(&self) {
        self.count_end("failed");
    }

    fn count_end(&self, end: &'static str) {
        counter!(CLAIMS_ENDED, "sender" => self.name.clone(), "end" => end).increment(1);
    }
}

/// A wait for the store that has begun.
#[cfg(feature = "metrics")]
pub(crate) struct Wait {
    method: Method,
    began: Instant,
}

#[cfg(feature = "metrics")]
impl Wait {
    pub(crate) fn begin(method: Method) -> Self {
        Self { method, began: Instant::now() }
    }

    pub(crate) fn end<T>(self, answer: Option<&Result<T, StoreError>>) {
        let result = match answer {
            Some(Ok(_)) => "ok",
            Some(Err(_)) => "error",
            None => "timeout",
        };
        histogram!(STORE_CALL_DURATION, "call" => self.method.0, "result" => result)
            .record(self.began.elapsed());
    }
}

#[cfg(not(feature = "metrics"))]
pub(crate) struct Wait;

#[cfg(not(feature = "metrics"))]
impl Wait {
    pub(crate) fn begin(_: Method) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same as with metrics")]
    pub(crate) fn end<T>(self, _: Option<&Result<T, StoreError>>) {}
}

#[cfg(not(feature = "metrics"))]
#[expect(clippy::unused_self, reason = "the same as with metrics")]
impl Sender {
    pub(crate) fn unknown() -> Self {
        Self {}
    }

    pub(crate) fn named(_: &str) -> Self {
        Self {}
    }

    pub(crate) fn decided(&self, _: Outcome) {}

    pub(crate) fn ended(&self, _: End, _: Fence) {}

    pub(crate) fn gave_up(&self) {}
}
