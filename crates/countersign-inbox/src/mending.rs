//! What a person sees and mends.

use crate::{
    Entry, Filter, Inbox, State, Stats, StoreError, Stored,
    millis::millis,
    store::{Dialect, Selection},
};

/// How many deliveries are changed in one transaction.
const STEP: u32 = 500;

impl<DB: Dialect> Inbox<DB> {
    /// How full the inbox is. It counts, which takes longer the more there is: about a tenth of a second for a million.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        Ok(DB::stats(&mut *self.pool().acquire().await?).await?.into())
    }

    /// Up to `limit` of the deliveries that `filter` selects, in the order of their numbers, after the number `after`. Start with 0;
    /// go on with the number of the last.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn list(&self, filter: &Filter, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let selection = Selection::new(filter, i64::MAX, after, limit);
        let rows = DB::list(&mut *self.pool().acquire().await?, &selection).await?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// The delivery with this number and its content.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn show(&self, id: i64) -> Result<Option<Stored>, StoreError> {
        Ok(DB::read(&mut *self.pool().acquire().await?, &[id]).await?.pop())
    }

    /// Makes dead letters and pending deliveries due now, with all their attempts before them. Of what `filter` selects, it leaves
    /// the rest alone. Returns how many it changed.
    ///
    /// # Errors
    ///
    /// The database fails. Those before it did are changed.
    pub async fn retry(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.mend(filter, &[State::Dead, State::Pending], State::Pending).await
    }

    /// Handles deliveries that were done or discarded once more. Of what `filter` selects, it leaves the rest alone. Returns how many
    /// it changed.
    ///
    /// # Errors
    ///
    /// The database fails. Those before it did are changed.
    pub async fn replay(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.mend(filter, &[State::Done, State::Discarded], State::Pending).await
    }

    /// Decides that dead letters, pending and waiting deliveries need not be handled. Of what `filter` selects, it leaves the rest
    /// alone. Returns how many it changed.
    ///
    /// # Errors
    ///
    /// The database fails. Those before it did are changed.
    pub async fn discard(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.mend(filter, &[State::Dead, State::Pending, State::Waiting], State::Discarded).await
    }

    /// Removes up to `limit` deliveries that were done or discarded and whose [time](crate::InboxBuilder::keep_for) is over, the
    /// oldest first, and returns how many. A worker does this by itself.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn remove_finished(&self, limit: i64) -> Result<u64, StoreError> {
        let mut writing = self.shared().tables.write().await?;
        let removed = DB::remove(&mut *writing.transaction, limit.max(0)).await?;
        writing.commit().await?;
        Ok(removed)
    }

    /// Changes the state of what is selected and in one of the states `from`, in steps.
    async fn mend(&self, filter: &Filter, from: &[State], to: State) -> Result<u64, StoreError> {
        let from = from.iter().fold(0, |bits, state| bits | state.bit());
        let keep = millis(self.shared().settings.keep_for);
        let (mut after, mut changed) = (0, 0_u64);
        loop {
            let mut writing = self.shared().tables.write().await?;
            let connection = &mut *writing.transaction;
            let rows = DB::list(connection, &Selection::new(filter, from, after, STEP)).await?;
            let Some(last) = rows.last() else { break };
            after = last.0;
            let ids: Vec<_> = rows.iter().map(|row| row.0).collect();
            let keys: Vec<_> = rows.iter().filter_map(|row| row.6.clone()).collect();
            if !keys.is_empty() {
                DB::lock_order_keys(connection, &keys).await?;
            }
            changed = changed.saturating_add(DB::mend(connection, &ids, from, to.code(), keep).await?);
            for key in &keys {
                DB::promote(connection, key).await?;
            }
            writing.commit().await?;
        }
        self.shared().news.send_replace(());
        Ok(changed)
    }
}
