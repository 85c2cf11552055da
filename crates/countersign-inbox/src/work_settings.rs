//! The settings of a worker.

use std::time::Duration;

use crate::Backoff;

#[derive(Clone, Debug)]
pub(crate) struct WorkSettings {
    pub(crate) concurrency: usize,
    pub(crate) max_attempts: u32,
    pub(crate) lease: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) poll_every: Duration,
    pub(crate) grace: Duration,
}
