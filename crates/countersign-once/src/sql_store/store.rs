use std::{fmt, time::Duration};

use countersign::Identity;
use sqlx::{Database, Pool, Transaction};

use super::Dialect;
use crate::{Claim, ClaimAnswer, Fence, Store, StoreError, Token, millis::millis};

/// A store in an SQL database: [`SqliteStore`](crate::SqliteStore) or [`PostgresStore`](crate::PostgresStore). Clones share the pool.
///
/// Each call is one statement in its own transaction. A claim that is not granted needs a second one, which reads why. Call
/// [`migrate`](Self::migrate) at start-up. Expired rows have no effect but take up space: keep a [`sweeper`](Self::sweeper), or
/// call [`sweep`](Self::sweep).
///
/// # Exactly once
///
/// The store can take part in the handler's own transaction, so that the effect and the memory of it commit together or not at
/// all:
///
/// - [`complete_in`](Self::complete_in), in a handler that [`Once`](crate::Once) let run;
/// - [`claim_in`](Self::claim_in), in a handler without it. It waits for a transaction that handles the same delivery.
///
/// Both need the handler's tables in the database of the store.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # mod example {
/// use countersign_once::{Fence, Running, SqliteStore};
///
/// async fn ship(store: &SqliteStore, running: Running) -> Result<(), Box<dyn std::error::Error>> {
///     let (Some(claim), Some(keep_for)) = (running.claim(), running.keep_for()) else {
///         return Err("the handler runs unguarded".into());
///     };
///     let mut transaction = store.pool().begin().await?;
///     if store.complete_in(&mut transaction, &claim, keep_for).await? == Fence::Lost {
///         return Err("another attempt took over".into());
///     }
///     sqlx::query("INSERT INTO shipments (item) VALUES ('book')").execute(&mut *transaction).await?;
///     transaction.commit().await?;
///     running.complete().await?;
///     Ok(())
/// }
/// # }
/// ```
pub struct SqlStore<DB: Database>(Pool<DB>);

impl<DB: Dialect> SqlStore<DB> {
    /// Uses `pool`, whose database [`migrate`](Self::migrate) has prepared.
    pub fn new(pool: Pool<DB>) -> Self {
        Self(pool)
    }

    /// The pool.
    pub fn pool(&self) -> &Pool<DB> {
        &self.0
    }

    /// Creates the table `countersign_once`, or brings it up to date. Call it at each start-up: it does nothing if the table is up
    /// to date, and any number of processes may call it at once.
    ///
    /// The version is kept in a table of its own, `countersign_once_schema`, because sqlx 0.8 has one history for a whole
    /// database and refuses migrations in it that are not the program's. The statements are in the crate's folder
    /// `migrations`, for programs that must not create tables at start-up.
    ///
    /// # Errors
    ///
    /// The database fails, or its schema is of a later version of this crate.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = DB::begin_migration(&self.0).await.map_err(StoreError::new)?;
        let present = DB::version(&mut *transaction).await.map_err(StoreError::new)?;
        let known = DB::MIGRATIONS.len();
        let applied = usize::try_from(present).unwrap_or(usize::MAX);
        let Some(missing) = DB::MIGRATIONS.get(applied..) else {
            return Err(StoreError::new(format!(
                "the table countersign_once has version {present}, and this program knows versions up to {known}"
            )));
        };
        for (migration, version) in missing.iter().zip(present.saturating_add(1)..) {
            DB::run(&mut *transaction, migration).await.map_err(StoreError::new)?;
            DB::set_version(&mut *transaction, version).await.map_err(StoreError::new)?;
        }
        transaction.commit().await.map_err(StoreError::new)
    }

    /// Claims and completes the delivery in `transaction`. After `Granted`, do the work in the same transaction and commit it. If
    /// it is rolled back, the delivery stays unknown.
    ///
    /// Make it the transaction's first statement. It waits while another transaction is handling the same delivery, and
    /// then sees what became of it. For handlers without [`Once`](crate::Once): a delivery that `Once` has claimed in the same
    /// store is `InProgress` here.
    ///
    /// # Errors
    ///
    /// The database fails. Roll the transaction back.
    pub async fn claim_in(
        &self,
        transaction: &mut Transaction<'_, DB>,
        identity: &Identity,
        keep_for: Duration,
    ) -> Result<ClaimAnswer, StoreError> {
        // Nobody needs to prove that they hold what is done in one step.
        let claim = Claim::new(*identity, Token::from_bytes([0; 16]));
        self.claim_on(&mut **transaction, &claim, DB::STATEMENTS.claim_done, keep_for).await
    }

    /// Completes `claim` in `transaction`: [`Running::claim`](crate::Running::claim) and
    /// [`Running::keep_for`](crate::Running::keep_for) of the running handler.
    ///
    /// Roll back on `Lost`: another attempt took over or has handled the delivery. After the commit,
    /// [`Running::complete`](crate::Running::complete) finds the delivery complete already.
    ///
    /// # Errors
    ///
    /// The database fails. Roll the transaction back.
    pub async fn complete_in(
        &self,
        transaction: &mut Transaction<'_, DB>,
        claim: &Claim,
        keep_for: Duration,
    ) -> Result<Fence, StoreError> {
        fence(DB::execute(&mut **transaction, DB::STATEMENTS.complete, claim, Some(signed(keep_for))).await)
    }

    /// Removes up to `limit` expired rows, oldest first, and returns how many it removed. Fewer than `limit` means that none is
    /// left.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        let mut connection = self.0.acquire().await.map_err(StoreError::new)?;
        DB::sweep(&mut *connection, i64::from(limit)).await.map_err(StoreError::new)
    }

    async fn claim_on(
        &self,
        connection: &mut DB::Connection,
        claim: &Claim,
        statement: &'static str,
        time: Duration,
    ) -> Result<ClaimAnswer, StoreError> {
        let rows = DB::execute(&mut *connection, statement, claim, Some(signed(time))).await;
        if rows.map_err(StoreError::new)? > 0 {
            return Ok(ClaimAnswer::Granted);
        }
        Ok(match DB::state(connection, claim).await.map_err(StoreError::new)? {
            Some(state) if state.done => ClaimAnswer::Done,
            Some(state) => ClaimAnswer::InProgress { lease_left: Some(state.left) },
            // Given up between the two statements.
            None => ClaimAnswer::InProgress { lease_left: None },
        })
    }

    async fn guarded(
        &self,
        claim: &Claim,
        statement: &'static str,
        time: Option<Duration>,
    ) -> Result<Fence, StoreError> {
        let mut connection = self.0.acquire().await.map_err(StoreError::new)?;
        fence(DB::execute(&mut *connection, statement, claim, time.map(signed)).await)
    }
}

impl<DB: Dialect> Store for SqlStore<DB> {
    async fn claim(&self, claim: Claim, lease: Duration) -> Result<ClaimAnswer, StoreError> {
        let mut connection = self.0.acquire().await.map_err(StoreError::new)?;
        self.claim_on(&mut *connection, &claim, DB::STATEMENTS.claim, lease).await
    }

    async fn complete(&self, claim: Claim, keep_for: Duration) -> Result<Fence, StoreError> {
        self.guarded(&claim, DB::STATEMENTS.complete, Some(keep_for)).await
    }

    async fn extend(&self, claim: Claim, lease: Duration) -> Result<Fence, StoreError> {
        self.guarded(&claim, DB::STATEMENTS.extend, Some(lease)).await
    }

    async fn release(&self, claim: Claim) -> Result<Fence, StoreError> {
        self.guarded(&claim, DB::STATEMENTS.release, None).await
    }
}

impl<DB: Database> Clone for SqlStore<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: Database> fmt::Debug for SqlStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("database", &DB::NAME).finish_non_exhaustive()
    }
}

fn fence(rows: Result<u64, sqlx::Error>) -> Result<Fence, StoreError> {
    match rows {
        Ok(0) => Ok(Fence::Lost),
        Ok(_) => Ok(Fence::Passed),
        Err(failure) => Err(StoreError::new(failure)),
    }
}

fn signed(time: Duration) -> i64 {
    i64::try_from(millis(time)).unwrap_or(i64::MAX)
}
