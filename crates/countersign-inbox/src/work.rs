//! How a worker is set up.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use sqlx::Database;

use crate::{
    Backoff, BuildError, Delivery, Failure, Inbox, store::Dialect, work_settings::WorkSettings,
    worker::Worker,
};

/// A worker that is set up. [`run_until`](Self::run_until) runs it.
#[must_use = "a worker does nothing until it runs"]
pub struct Work<DB: Database, H> {
    inbox: Inbox<DB>,
    handler: Arc<H>,
    settings: WorkSettings,
}

impl<DB: Dialect> Inbox<DB> {
    /// Has `handler` handle the deliveries, in this process or in another one than that which stores them. Nothing happens before
    /// [`Work::run_until`].
    pub fn work<H, F>(&self, handler: H) -> Work<DB, H>
    where
        H: Fn(Delivery<DB>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Work::new(self.clone(), handler)
    }
}

impl<DB, H, F> Work<DB, H>
where
    DB: Dialect,
    H: Fn(Delivery<DB>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    pub(crate) fn new(inbox: Inbox<DB>, handler: H) -> Self {
        let settings = WorkSettings {
            concurrency: 16,
            max_attempts: 20,
            lease: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(5 * 60),
            backoff: Backoff::default(),
            poll_every: Duration::from_secs(1),
            grace: Duration::from_secs(20),
        };
        Self { inbox, handler: Arc::new(handler), settings }
    }

    /// How many deliveries are handled at a time. 16 unless set.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.settings.concurrency = handlers;
        self
    }

    /// How many attempts a delivery gets before it becomes a dead letter. 20 unless set, which takes about 10 hours with the
    /// default [backoff](Self::backoff). An attempt in which the process dies counts.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.settings.max_attempts = attempts;
        self
    }

    /// How long after a worker's death its deliveries go to others. 60 seconds unless set. A living worker extends its leases three
    /// times in that period.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How long a handler may take: then it is dropped, and the attempt has failed. 5 minutes unless set.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.settings.attempt_timeout = limit;
        self
    }

    /// How long to wait between attempts. Unless set, from 1 second, doubling, to 1 hour.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How often to look for deliveries that other processes stored, and for those whose pause is over. 1 second unless set. What
    /// this process stores is handled at once.
    pub fn poll_every(mut self, period: Duration) -> Self {
        self.settings.poll_every = period;
        self
    }

    /// How long handlers may go on after the shutdown began. 20 seconds unless set. Then they are dropped, and their deliveries
    /// are handed back, for other workers to begin anew at once.
    pub fn grace(mut self, time: Duration) -> Self {
        self.settings.grace = time;
        self
    }

    /// Handles deliveries until `shutdown` is ready; then takes no more, lets running handlers finish for the time of
    /// [grace](Self::grace), and hands the rest back. It also removes deliveries whose [`keep_for`](crate::InboxBuilder::keep_for)
    /// is over.
    ///
    /// A handler that panics has failed, like one that returns an error. A failing database stops nothing: the worker tries again,
    /// and says so in the log (feature `tracing`).
    ///
    /// Dropping the future drops the handlers. Their deliveries go to other workers when their leases run out.
    ///
    /// # Errors
    ///
    /// [`BuildError::NothingToDo`], at once: a setting is zero with which nothing would be handled.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), BuildError> {
        let Self { inbox, handler, settings } = self;
        let zeros = [
            ("concurrency", settings.concurrency == 0),
            ("max_attempts", settings.max_attempts == 0),
            ("lease", settings.lease.is_zero()),
            ("attempt_timeout", settings.attempt_timeout.is_zero()),
            ("poll_every", settings.poll_every.is_zero()),
        ];
        if let Some((setting, _)) = zeros.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(BuildError::NothingToDo(setting));
        }
        Worker::new(inbox, handler, settings).run_until(shutdown).await;
        Ok(())
    }
}

impl<DB: Database, H> fmt::Debug for Work<DB, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("inbox", &self.inbox)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
