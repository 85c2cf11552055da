//! Deliveries that are stored before they are answered.

use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::{Headers, VerifiedDelivery};
use sqlx::{Database, Pool, Transaction};
use tokio::sync::{Mutex, MutexGuard, watch};

use crate::{
    AcceptError, Accepted, BuildError, StoreError, UnsignedHeaders,
    group::{Group, GroupWriter},
    log,
    millis::millis,
    settings::Settings,
    store::{Dialect, Finish, Incoming, check, migrate},
    tokens::Tokens,
};

/// How much longer than its sender may retry a delivery is remembered.
const MARGIN: Duration = Duration::from_secs(60 * 60);
/// How often the backlog is counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// The most rows, and the most bytes of bodies, that go to the database in one statement.
const ROWS: usize = 64;
const BYTES: usize = 4 << 20;
/// The bytes of an order key that count: PostgreSQL indexes no more than 2,704.
const ORDER_KEY: usize = 1024;

/// Stores verified deliveries durably, so that they can be answered at once and handled later. Cheap to clone; all clones share
/// the database.
///
/// See the [crate](crate) for what it promises.
pub struct Inbox<DB: Database>(Arc<Shared<DB>>);

pub(crate) struct Shared<DB: Database> {
    pub(crate) tables: Arc<Tables<DB>>,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
    /// Changes when there is something new to do.
    pub(crate) news: watch::Sender<()>,
    /// `None`: the inbox is full.
    incoming: Group<Incoming, Option<Accepted>>,
    finishes: Group<Finish, bool>,
}

/// The database. Writers of a database that takes one at a time queue here, which is fairer than to try again and again.
pub(crate) struct Tables<DB: Database> {
    pub(crate) pool: Pool<DB>,
    /// The connections that write.
    writers: Pool<DB>,
    writer: Mutex<()>,
}

/// A transaction that writes, and its place in the queue of writers.
pub(crate) struct Writing<'t, DB: Database> {
    pub(crate) transaction: Transaction<'static, DB>,
    _turn: Option<MutexGuard<'t, ()>>,
}

impl<DB: Dialect> Inbox<DB> {
    pub(crate) async fn new(pool: Pool<DB>, settings: Settings, prepare: bool) -> Result<Self, BuildError> {
        let limit = settings.store_timeout;
        let writers = DB::writers(&pool);
        let mut connection = writers.acquire().await?;
        if let Some(not) = DB::not_durable(&mut *connection).await? {
            return Err(BuildError::NotDurable { setting: not.setting, value: not.value });
        }
        drop(connection);
        if prepare {
            migrate(&pool).await?;
        } else {
            check(&pool).await?;
        }
        let tables = Arc::new(Tables { pool, writers, writer: Mutex::new(()) });
        let insert = Insert { tables: Arc::clone(&tables), limit: settings.backlog_limit, counted: None };
        let finish = WriteFinishes { tables: Arc::clone(&tables) };
        let shared = Shared {
            tables,
            settings,
            tokens: Tokens::new().map_err(|failure| BuildError::Randomness(failure.into()))?,
            news: watch::Sender::new(()),
            incoming: Group::spawn(insert, limit),
            finishes: Group::spawn(finish, limit),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Stores a delivery, unless a copy is stored already. When it returns, the delivery is committed: answer with success.
    ///
    /// Of `headers`, it keeps those that [`keep_headers`](crate::InboxBuilder::keep_headers) names. Everything else is what was verified.
    ///
    /// If the future is dropped, the delivery may be stored nevertheless; a retry is then a duplicate.
    ///
    /// # Errors
    ///
    /// - [`AcceptError::Full`]: the backlog is at its limit, and no copy is stored already.
    /// - [`AcceptError::Store`]: the database did not commit in time. Answer 503, so that the sender comes again.
    pub async fn accept(
        &self,
        delivery: &VerifiedDelivery,
        headers: &(impl Headers + ?Sized),
    ) -> Result<Accepted, AcceptError> {
        let Shared { settings, .. } = &*self.0;
        let scheme = delivery.scheme();
        let identity = delivery.identify().identity;
        let incoming = Incoming {
            identity,
            sender: scheme.name().to_owned(),
            key_id: delivery.key().to_string(),
            received_by: settings.instance.clone(),
            order_key: settings.order_by.as_ref().and_then(|order_by| order_by(delivery)).map(shortened),
            keep_for: millis(scheme.retry_horizon().saturating_add(MARGIN)),
            headers: UnsignedHeaders::choose(&settings.keep_headers, headers).to_json(),
            body: delivery.body().clone(),
        };
        let stored = self.0.incoming.write(incoming);
        let timed_out = |_| Err(StoreError::timed_out(settings.store_timeout));
        let accepted = tokio::time::timeout(settings.store_timeout, stored).await.unwrap_or_else(timed_out);
        let full = AcceptError::Full { limit: settings.backlog_limit };
        let accepted = accepted.map_err(AcceptError::Store).and_then(|accepted| accepted.ok_or(full));
        if let Ok(Accepted::New) = accepted {
            self.0.news.send_replace(());
        }
        log::accepted(delivery, &identity, &accepted);
        accepted
    }

    /// The pool.
    pub fn pool(&self) -> &Pool<DB> {
        &self.0.tables.pool
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<DB>> {
        &self.0
    }
}

impl<DB: Dialect> Shared<DB> {
    /// Writes the end of an attempt. `false`: the attempt does not hold the delivery any more.
    pub(crate) async fn finish(&self, finish: Finish) -> Result<bool, StoreError> {
        self.finishes.write(finish).await
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.settings.store_timeout
    }
}

impl<DB: Dialect> Tables<DB> {
    pub(crate) async fn write(&self) -> Result<Writing<'_, DB>, sqlx::Error> {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        let turn = if DB::ONE_WRITER { Some(self.writer.lock().await) } else { None };
        Ok(Writing { transaction: DB::begin(&self.writers).await?, _turn: turn })
    }
}

impl<DB: Dialect> Writing<'_, DB> {
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }
}

/// Writes the ends of attempts and gives the next of their order keys its turn. `true`: the attempt held its delivery, or had
/// made it done already.
pub(crate) async fn write_finishes<DB: Dialect>(
    connection: &mut DB::Connection,
    finishes: &[&Finish],
) -> Result<Vec<bool>, sqlx::Error> {
    let keys: Vec<_> = finishes.iter().filter_map(|finish| finish.order_key.clone()).collect();
    if !keys.is_empty() {
        DB::lock_order_keys(connection, &keys).await?;
    }
    let passed = DB::finish(connection, finishes).await?;
    let mut answers = Vec::with_capacity(finishes.len());
    for finish in finishes {
        let done = passed.contains(&(finish.id, finish.token));
        if let (true, Some(key)) = (done, &finish.order_key) {
            DB::promote(connection, key).await?;
        }
        answers.push(done || DB::is_done_by(connection, finish.id, &finish.token).await?);
    }
    Ok(answers)
}

struct WriteFinishes<DB: Database> {
    tables: Arc<Tables<DB>>,
}

impl<DB: Dialect> GroupWriter<Finish, bool> for WriteFinishes<DB> {
    async fn write(&mut self, finishes: &[Finish]) -> Result<Vec<bool>, StoreError> {
        let mut writing = self.tables.write().await?;
        let finishes: Vec<_> = finishes.iter().collect();
        let answers = write_finishes::<DB>(&mut *writing.transaction, &finishes).await?;
        writing.commit().await?;
        Ok(answers)
    }
}

struct Insert<DB: Database> {
    tables: Arc<Tables<DB>>,
    limit: u32,
    /// How many deliveries were unfinished, and when.
    counted: Option<(Instant, i64)>,
}

impl<DB: Dialect> GroupWriter<Incoming, Option<Accepted>> for Insert<DB> {
    async fn write(&mut self, deliveries: &[Incoming]) -> Result<Vec<Option<Accepted>>, StoreError> {
        let tables = Arc::clone(&self.tables);
        let mut writing = tables.write().await?;
        let connection = &mut *writing.transaction;
        let unfinished = self.unfinished(connection).await?;
        if unfinished >= i64::from(self.limit) {
            let identities: Vec<_> =
                deliveries.iter().map(|delivery| *delivery.identity.as_bytes()).collect();
            let stored = DB::stored(connection, &identities).await?;
            let duplicate = |identity| stored.contains(identity).then_some(Accepted::Duplicate);
            return Ok(identities.iter().map(duplicate).collect());
        }
        // Of copies that arrive together, one is stored.
        let mut first = HashMap::with_capacity(deliveries.len());
        for (index, delivery) in deliveries.iter().enumerate() {
            if let Slot::Vacant(slot) = first.entry(*delivery.identity.as_bytes()) {
                slot.insert((index, delivery));
            }
        }
        let mut rows: Vec<_> = first.values().copied().collect();
        rows.sort_unstable_by_key(|(index, _)| *index);
        let rows: Vec<&Incoming> = rows.into_iter().map(|(_, row)| row).collect();
        let mut answers = vec![Some(Accepted::Duplicate); deliveries.len()];
        let mut new = 0_i64;
        for chunk in Chunks(&rows) {
            for identity in DB::insert(connection, chunk).await? {
                let answer = first.get(&identity).and_then(|(index, _)| answers.get_mut(*index));
                if let Some(answer) = answer {
                    *answer = Some(Accepted::New);
                    new = new.saturating_add(1);
                }
            }
        }
        writing.commit().await?;
        if let Some((_, count)) = &mut self.counted {
            *count = count.saturating_add(new);
        }
        Ok(answers)
    }
}

impl<DB: Dialect> Insert<DB> {
    async fn unfinished(&mut self, connection: &mut DB::Connection) -> Result<i64, sqlx::Error> {
        match self.counted {
            Some((when, count)) if when.elapsed() < COUNT_EVERY => Ok(count),
            _ => {
                let count = DB::backlog(connection, i64::from(self.limit)).await?;
                self.counted = Some((Instant::now(), count));
                Ok(count)
            }
        }
    }
}

fn shortened(mut order_key: Vec<u8>) -> Vec<u8> {
    order_key.truncate(ORDER_KEY);
    order_key
}

/// Rows for one statement each.
struct Chunks<'r>(&'r [&'r Incoming]);

impl<'r> Iterator for Chunks<'r> {
    type Item = &'r [&'r Incoming];

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = 0_usize;
        let fits = |row: &&&Incoming| {
            bytes = bytes.saturating_add(row.body.len());
            bytes <= BYTES
        };
        let size = self.0.iter().take(ROWS).take_while(fits).count().max(1);
        let (chunk, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(chunk)
    }
}

impl<DB: Database> Clone for Inbox<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> fmt::Debug for Inbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("database", &DB::NAME)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
