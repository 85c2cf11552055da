//! A delivery in the hands of a handler.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use countersign::Identity;
use sqlx::{Database, Transaction, error::DatabaseError};

use crate::{
    CommitError, Entry, Inbox, StoreError, Stored, UnsignedHeaders,
    inbox::{Writing, write_finishes},
    store::{Claimed, Dialect, Ending, Finish, Token},
};

/// Stands in a handler's transaction for as long as that is the one that was begun.
const MARK: &str = "SAVEPOINT countersign_inbox";
const UNMARK: &str = "RELEASE SAVEPOINT countersign_inbox";
/// PostgreSQL's code for whatever it is told between a statement that failed and the transaction's end.
const IN_FAILED_TRANSACTION: &str = "25P02";

/// A verified delivery that a worker has taken out of the inbox. It goes to a handler of [`Inbox::work`].
pub struct Delivery<DB: Database> {
    inbox: Inbox<DB>,
    stored: Stored,
    attempt: Attempt,
}

/// One attempt at a delivery.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) id: i64,
    pub(crate) token: Token,
    pub(crate) order_key: Option<Vec<u8>>,
    /// Set once the handler's own transaction has made the delivery done.
    committed: Arc<AtomicBool>,
}

impl Attempt {
    pub(crate) fn ends(&self, ending: Ending) -> Finish {
        Finish { id: self.id, token: self.token, order_key: self.order_key.clone(), ending }
    }

    pub(crate) fn is_committed(&self) -> bool {
        self.committed.load(Ordering::Acquire)
    }
}

impl<DB: Dialect> Delivery<DB> {
    pub(crate) fn new(inbox: Inbox<DB>, claimed: Claimed) -> Self {
        let Claimed { token, stored } = claimed;
        let attempt = Attempt {
            id: stored.entry.id,
            token,
            order_key: stored.entry.order_key.clone(),
            committed: Arc::default(),
        };
        Self { inbox, stored, attempt }
    }

    /// The body, exactly as it was signed.
    pub fn body(&self) -> &Bytes {
        &self.stored.body
    }

    /// The sender's scheme, such as `moduslink`.
    pub fn sender(&self) -> &str {
        &self.stored.entry.sender
    }

    /// Which delivery it is. Hand it to other services as the idempotency key.
    pub fn identity(&self) -> &Identity {
        &self.stored.entry.identity
    }

    /// Headers that were kept. No signature covers them.
    pub fn unsigned_headers(&self) -> &UnsignedHeaders {
        &self.stored.unsigned_headers
    }

    /// What the inbox knows about it: its number, when it was received and by whom, the attempts so far with this one.
    pub fn entry(&self) -> &Entry {
        &self.stored.entry
    }

    /// Which attempt this is; the first is 1.
    pub fn attempt(&self) -> u32 {
        self.stored.entry.attempts
    }

    /// Begins a transaction in the inbox's database. What it writes is committed together with the delivery's completion, or not
    /// at all: the effect happens exactly once.
    ///
    /// SQLite lets one transaction write at a time, and new deliveries wait for it too, so keep it short: do slow work before,
    /// and call nothing else in between. In PostgreSQL, leave its isolation level as it is (`READ COMMITTED`).
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn begin(&self) -> Result<DeliveryTransaction<'_, DB>, StoreError> {
        let mut writing = self.inbox.shared().tables.write().await?;
        DB::run(&mut *writing.transaction, MARK).await?;
        Ok(DeliveryTransaction { delivery: self, writing })
    }

    pub(crate) fn attempt_at(&self) -> &Attempt {
        &self.attempt
    }
}

impl<DB: Database> fmt::Debug for Delivery<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stored { entry, body, .. } = &self.stored;
        f.debug_struct("Delivery")
            .field("id", &entry.id)
            .field("sender", &entry.sender)
            .field("identity", &entry.identity)
            .field("attempt", &entry.attempts)
            .field("bytes", &body.len())
            .finish_non_exhaustive()
    }
}

/// A transaction that completes its delivery as it is committed. Dropped, it is rolled back, and the delivery is not done.
///
/// Use it as `&mut *transaction` where sqlx takes a connection. Do not end it with a statement of your own: [`commit`](Self::commit)
/// then refuses, the delivery is tried again, and what a `COMMIT` has made permanent happens twice.
#[must_use = "dropping it rolls the transaction back"]
pub struct DeliveryTransaction<'d, DB: Database> {
    delivery: &'d Delivery<DB>,
    writing: Writing<'d, DB>,
}

impl<DB: Dialect> DeliveryTransaction<'_, DB> {
    /// Completes the delivery and commits. Return `Ok(())` from the handler then.
    ///
    /// # Errors
    ///
    /// - [`CommitError::Lost`]: the delivery is not this worker's any more. Nothing was committed.
    /// - [`CommitError::Store`]: the database fails, or the transaction is over already. The handler ended it, or ignored the error of
    ///   a statement that ended it. Return the error from the handler: if the commit took effect nevertheless, the worker finds the
    ///   delivery done and does not try again.
    pub async fn commit(self) -> Result<(), CommitError> {
        let Self { delivery, mut writing } = self;
        let shared = delivery.inbox.shared();
        DB::run(&mut *writing.transaction, UNMARK).await.map_err(unmarked)?;
        let finish = delivery.attempt.ends(Ending::Done { keep_for: shared.settings.keep_for });
        let held = write_finishes::<DB>(&mut *writing.transaction, &[&finish]).await?;
        if held != [true] {
            return Err(CommitError::Lost);
        }
        writing.commit().await?;
        delivery.attempt.committed.store(true, Ordering::Release);
        Ok(())
    }
}

/// Why a transaction's mark cannot be removed. Every refusal means that the mark is gone, but for PostgreSQL's after a statement that
/// failed.
fn unmarked(failure: sqlx::Error) -> CommitError {
    let code = failure.as_database_error().map(DatabaseError::code);
    let is_over = code.is_some_and(|code| code.as_deref() != Some(IN_FAILED_TRANSACTION));
    CommitError::Store(if is_over { StoreError::rolled_back() } else { failure.into() })
}

impl<DB: Database> Deref for DeliveryTransaction<'_, DB> {
    type Target = Transaction<'static, DB>;

    fn deref(&self) -> &Self::Target {
        &self.writing.transaction
    }
}

impl<DB: Database> DerefMut for DeliveryTransaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.writing.transaction
    }
}

impl<DB: Database> fmt::Debug for DeliveryTransaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryTransaction").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}
