use std::{sync::Arc, time::Instant};

use ::metrics::{Key, Label, Level, Metadata, SharedString, counter, with_recorder};

use crate::{
    Fence, Outcome, StoreError,
    end::End,
    metrics::{CLAIMS_ENDED, DECISIONS, STORE_CALL_DURATION, UNKNOWN_SENDER},
};

/// The sender of a delivery, as a label.
#[derive(Clone)]
pub(crate) struct Sender(SharedString);

impl Sender {
    pub(crate) fn unknown() -> Self {
        Self(SharedString::const_str(UNKNOWN_SENDER))
    }

    pub(crate) fn named(name: &str) -> Self {
        Self(SharedString::from_shared(Arc::from(name)))
    }

    pub(crate) fn decided(&self, outcome: Outcome) {
        counter!(DECISIONS, "sender" => self.0.clone(), "outcome" => outcome.as_str()).increment(1);
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
        counter!(CLAIMS_ENDED, "sender" => self.0.clone(), "end" => end).increment(1);
    }
}

/// A method of the store, as the labels of each result.
#[derive(Clone, Copy)]
pub(crate) struct Method(&'static Results);

/// The macros of the facade allocate labels that are not literals at each call.
struct Results {
    ok: [Label; 2],
    error: [Label; 2],
    timeout: [Label; 2],
}

static CLAIM: Results = Results::of("claim");
static COMPLETE: Results = Results::of("complete");
static EXTEND: Results = Results::of("extend");
static RELEASE: Results = Results::of("release");

impl Method {
    pub(crate) fn claim() -> Self {
        Self(&CLAIM)
    }

    pub(crate) fn extend() -> Self {
        Self(&EXTEND)
    }

    pub(crate) fn of(end: End) -> Self {
        match end {
            End::Complete(_) => Self(&COMPLETE),
            End::Release => Self(&RELEASE),
        }
    }
}

impl Results {
    const fn of(call: &'static str) -> Self {
        Self { ok: labels(call, "ok"), error: labels(call, "error"), timeout: labels(call, "timeout") }
    }
}

const fn labels(call: &'static str, result: &'static str) -> [Label; 2] {
    [Label::from_static_parts("call", call), Label::from_static_parts("result", result)]
}

/// A wait for the store that has begun.
pub(crate) struct Wait {
    method: Method,
    began: Instant,
}

impl Wait {
    pub(crate) fn begin(method: Method) -> Self {
        Self { method, began: Instant::now() }
    }

    /// `None`: the time limit passed without an answer.
    pub(crate) fn end<T>(self, answer: Option<&Result<T, StoreError>>) {
        static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

        let Method(results) = self.method;
        let labels = match answer {
            Some(Ok(_)) => &results.ok,
            Some(Err(_)) => &results.error,
            None => &results.timeout,
        };
        let key = Key::from_static_labels(STORE_CALL_DURATION, labels);
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)).record(self.began.elapsed());
    }
}
