//! How an [`Inbox`] is set up.

use std::{fmt, sync::Arc, time::Duration};

use countersign::VerifiedDelivery;
use sqlx::{Database, Pool};

use crate::{BuildError, Inbox, settings::Settings, store::Dialect};

/// Sets up an [`Inbox`].
#[must_use]
pub struct InboxBuilder<DB: Database> {
    pool: Pool<DB>,
    settings: Settings,
    migrate: bool,
}

impl<DB: Dialect> Inbox<DB> {
    /// Sets up an inbox whose tables are in the database of `pool`.
    pub fn builder(pool: Pool<DB>) -> InboxBuilder<DB> {
        InboxBuilder::new(pool)
    }
}

impl<DB: Dialect> InboxBuilder<DB> {
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        let settings = Settings {
            backlog_limit: 1_000_000,
            store_timeout: Duration::from_secs(5),
            keep_for: Duration::from_secs(7 * 24 * 60 * 60),
            keep_headers: Vec::new(),
            instance: format!("process {}", std::process::id()),
            order_by: None,
        };
        Self { pool, settings, migrate: true }
    }

    /// The most unfinished deliveries that the inbox holds: beyond it, deliveries are refused with
    /// [`AcceptError::Full`](crate::AcceptError::Full) until workers have caught up. 1,000,000 unless set.
    ///
    /// The inbox counts once a second, and adds what it stores itself in between. Several processes can therefore go over it by
    /// what they store in a second.
    pub fn backlog_limit(mut self, deliveries: u32) -> Self {
        self.settings.backlog_limit = deliveries;
        self
    }

    /// The time limit for the database to store a delivery. 5 seconds unless set. Choose it well below the time that the sender
    /// waits for an answer: eWarehousing waits 10 seconds, Fluent 14.
    pub fn store_timeout(mut self, limit: Duration) -> Self {
        self.settings.store_timeout = limit;
        self
    }

    /// How long a delivery stays after it was done or discarded. 7 days unless set.
    ///
    /// It stays longer if its sender may still retry it, because a copy that arrives after it was removed would be handled again:
    /// at least for the sender's [`retry_horizon`](countersign::Scheme::retry_horizon) and an hour, from its receipt.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.settings.keep_for = time;
        self
    }

    /// Keeps these headers with each delivery, marked as [unsigned](crate::UnsignedHeaders). None unless set.
    pub fn keep_headers<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.settings.keep_headers = names.into_iter().map(|name| name.into().to_ascii_lowercase()).collect();
        self
    }

    /// What this process is called in the inbox, such as the name of its machine. `process` and its number unless set.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.settings.instance = name.into();
        self
    }

    /// Handles deliveries with the same key one after the other, in the order in which they were stored: an order's id, for
    /// example. Deliveries with other keys, or without one, go on in parallel. All are without one unless set.
    ///
    /// While one is being retried, the later ones of its key wait. A dead letter does not hold them up. Keys that share their first
    /// 1,024 bytes are the same key.
    pub fn order_by<F, K>(mut self, key: F) -> Self
    where
        F: Fn(&VerifiedDelivery) -> Option<K> + Send + Sync + 'static,
        K: Into<Vec<u8>>,
    {
        self.settings.order_by = Some(Arc::new(move |delivery| key(delivery).map(Into::into)));
        self
    }

    /// Leaves the tables to you: [`build`](Self::build) only checks their version. The statements are in the crate's folder
    /// `migrations`, a file for each version. Record each file's number as you run it: in the column `version` of
    /// `countersign_inbox_schema (version BIGINT NOT NULL PRIMARY KEY)`.
    pub fn without_migration(mut self) -> Self {
        self.migrate = false;
        self
    }

    /// Creates the tables, or brings them up to date, and starts the task that stores deliveries, on this tokio runtime.
    ///
    /// # Errors
    ///
    /// - [`BuildError::NotDurable`]: the database may lose what it has committed.
    /// - [`BuildError::SchemaTooNew`]: a later version of this crate made the tables.
    /// - [`BuildError::SchemaTooOld`]: the tables lack a migration, and [`without_migration`](Self::without_migration) is set.
    /// - [`BuildError::NoTimeForTheStore`], [`BuildError::NoRoom`]: a limit is zero.
    /// - [`BuildError::InstanceName`]: the instance's name contains a NUL.
    /// - [`BuildError::HeaderName`]: a header to be kept has an impossible name.
    /// - [`BuildError::Randomness`]: the operating system gave no random bytes.
    /// - [`BuildError::Store`]: the database fails.
    pub async fn build(self) -> Result<Inbox<DB>, BuildError> {
        let Settings { backlog_limit, store_timeout, keep_headers, .. } = &self.settings;
        if store_timeout.is_zero() {
            return Err(BuildError::NoTimeForTheStore);
        }
        if *backlog_limit == 0 {
            return Err(BuildError::NoRoom);
        }
        if let Some(name) = keep_headers.iter().find(|name| !is_header_name(name)) {
            return Err(BuildError::HeaderName(name.clone()));
        }
        if self.settings.instance.contains('\0') {
            return Err(BuildError::InstanceName);
        }
        Inbox::new(self.pool, self.settings, self.migrate).await
    }
}

/// Whether it is a token of RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}

impl<DB: Database> fmt::Debug for InboxBuilder<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
