//! How a [`Once`] is set up.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    BuildError, Once, Store,
    call::AnyStore,
    settings::{Settings, WhenUnavailable},
};

/// Sets up a [`Once`].
#[must_use]
pub struct OnceBuilder {
    store: Arc<dyn AnyStore>,
    settings: Settings,
}

impl Once {
    /// Remembers in `store`, with the default settings of [`OnceBuilder`].
    ///
    /// # Errors
    ///
    /// [`BuildError::Randomness`] only.
    pub fn new(store: impl Store) -> Result<Self, BuildError> {
        Self::builder(store).build()
    }

    /// Remembers in `store`, with settings of your own.
    pub fn builder(store: impl Store) -> OnceBuilder {
        OnceBuilder::new(store)
    }
}

impl OnceBuilder {
    pub(crate) fn new(store: impl Store) -> Self {
        let settings = Settings {
            lease: Duration::from_secs(60),
            store_timeout: Duration::from_secs(2),
            when_unavailable: WhenUnavailable::default(),
            margin: Duration::from_secs(60 * 60),
            keep_for: None,
        };
        Self { store: Arc::new(store), settings }
    }

    /// How long a handler holds a delivery before another attempt may take over; 60 seconds by default.
    ///
    /// Choose a lease longer than the slowest handler takes: after it runs out, a retry may run at the same time. If the process
    /// dies in a handler, retries are refused until the lease runs out.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// The time limit for a call of the store, after which the delivery is refused or handled unguarded; 2 seconds by default.
    /// Choose it well below the time that the sender waits for an answer.
    pub fn store_timeout(mut self, limit: Duration) -> Self {
        self.settings.store_timeout = limit;
        self
    }

    /// How much longer than its sender may retry a handled delivery is remembered; 1 hour by default.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.settings.margin = margin;
        self
    }

    /// How long a handled delivery is remembered, whatever its sender. By default, it is the time for which the sender may retry
    /// and the [margin](Self::margin).
    pub fn keep_for(mut self, keep_for: Duration) -> Self {
        self.settings.keep_for = Some(keep_for);
        self
    }

    /// What to do when the store gives no answer; [`WhenUnavailable::Refuse`] by default.
    pub fn when_unavailable(mut self, what: WhenUnavailable) -> Self {
        self.settings.when_unavailable = what;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// - [`BuildError::NoTimeForTheStore`]: the store timeout is zero.
    /// - [`BuildError::LeaseWithinStoreTimeout`]: the lease is not longer than the store timeout.
    /// - [`BuildError::NothingKept`]: the keep time is zero.
    /// - [`BuildError::Randomness`]: the operating system gave no random bytes for the tokens.
    pub fn build(self) -> Result<Once, BuildError> {
        let Settings { lease, store_timeout, keep_for, .. } = self.settings;
        if store_timeout.is_zero() {
            return Err(BuildError::NoTimeForTheStore);
        }
        if lease <= store_timeout {
            return Err(BuildError::LeaseWithinStoreTimeout { lease, store_timeout });
        }
        if keep_for.is_some_and(|time| time.is_zero()) {
            return Err(BuildError::NothingKept);
        }
        Once::from_settings(self.store, self.settings)
    }
}

impl fmt::Debug for OnceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
