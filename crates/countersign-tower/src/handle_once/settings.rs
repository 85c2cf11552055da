//! The settings that all requests share.

use std::{fmt, sync::Arc};

use countersign_once::{Answers, Once};
use http::StatusCode;

type Success = dyn Fn(StatusCode) -> bool + Send + Sync;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) once: Once,
    pub(crate) answers: Answers,
    pub(crate) is_success: Arc<Success>,
}

impl Settings {
    pub(crate) fn new(once: Once) -> Self {
        Self { once, answers: Answers::default(), is_success: Arc::new(|status| status.is_success()) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleOnceLayer")
            .field("once", &self.once)
            .field("answers", &self.answers)
            .finish_non_exhaustive()
    }
}
