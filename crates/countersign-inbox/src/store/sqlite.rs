use std::{collections::HashSet, iter, sync::LazyLock};

use sqlx::{Connection, Error, Executor, FromRow, Pool, Row, Sqlite, SqliteConnection, Transaction};

use super::{
    Candidate, Dialect, EntryRow, Finish, Incoming, NotDurable, Selection, StatsRow, Token,
    dialect::Sealed,
    migrate::CREATE_SCHEMA_TABLE,
    shared::{entry, shared_methods, state},
};
use crate::Stored;

impl Dialect for Sqlite {}

impl Sealed for Sqlite {
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../../migrations/sqlite/1.sql")];
    const ONE_WRITER: bool = true;

    fn writers(pool: &Pool<Self>) -> Pool<Self> {
        // One connection: what another one writes would empty its page cache. A file needs no test whether it is still there.
        let options = pool.options().clone().min_connections(0).max_connections(1).test_before_acquire(false);
        options.connect_lazy_with((*pool.connect_options()).clone())
    }

    async fn begin(pool: &Pool<Self>) -> Result<Transaction<'static, Self>, Error> {
        loop {
            let pool = pool.clone();
            // In a task of its own: a future of sqlx that is dropped in the middle can leave the transaction open, and then nobody
            // else could write.
            let begun = tokio::spawn(async move {
                // A transaction that reads before it writes would fail if another wrote in between.
                let begun = pool.begin_with("BEGIN IMMEDIATE").await;
                if let Err(Error::InvalidSavePointStatement) = begun {
                    close_stuck(&pool).await?;
                    return Ok(None);
                }
                begun.map(Some)
            });
            if let Some(transaction) = begun.await.map_err(|_| Error::WorkerCrashed)?? {
                return Ok(transaction);
            }
        }
    }

    async fn begin_migration(pool: &Pool<Self>) -> Result<Transaction<'static, Self>, Error> {
        let mut transaction = Self::begin(pool).await?;
        transaction.execute(CREATE_SCHEMA_TABLE).await?;
        Ok(transaction)
    }

    async fn not_durable(connection: &mut SqliteConnection) -> Result<Option<NotDurable>, Error> {
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
        if ["off", "memory"].contains(&journal.as_str()) {
            return Ok(Some(NotDurable { setting: "journal_mode", value: journal }));
        }
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(connection).await?;
        let value = match synchronous {
            0 => "OFF",
            1 => "NORMAL",
            _ => return Ok(None),
        };
        Ok(Some(NotDurable { setting: "synchronous", value: value.to_owned() }))
    }

    async fn insert(
        connection: &mut SqliteConnection,
        rows: &[&Incoming],
    ) -> Result<HashSet<[u8; 32]>, Error> {
        let mut new = HashSet::with_capacity(rows.len());
        let mut rest = rows;
        while let Some((size, statements)) = INSERTS.iter().find(|(size, _)| *size <= rest.len()) {
            let (chunk, later) = rest.split_at(*size);
            rest = later;
            let mut query = sqlx::query_as(&statements.rows);
            for row in chunk {
                query = query
                    .bind(&row.identity.as_bytes()[..])
                    .bind(&row.sender)
                    .bind(&row.key_id)
                    .bind(&row.received_by)
                    .bind(row.order_key.as_deref())
                    .bind(row.keep_for);
            }
            let stored: Vec<(i64, Vec<u8>)> = query.fetch_all(&mut *connection).await?;
            let content = |(id, identity): (i64, Vec<u8>)| {
                let row = chunk.iter().find(|row| row.identity.as_bytes()[..] == identity)?;
                Some((id, *row))
            };
            let mut contents: &[(i64, &Incoming)] =
                &stored.into_iter().filter_map(content).collect::<Vec<_>>();
            new.extend(contents.iter().map(|(_, row)| *row.identity.as_bytes()));
            while let Some((size, statements)) = INSERTS.iter().find(|(size, _)| *size <= contents.len()) {
                let (chunk, later) = contents.split_at(*size);
                contents = later;
                let mut query = sqlx::query(&statements.contents);
                for (id, row) in chunk {
                    query = query.bind(id).bind(&row.headers).bind(&row.body[..]);
                }
                query.execute(&mut *connection).await?;
            }
        }
        Ok(new)
    }

    async fn stored(
        connection: &mut SqliteConnection,
        identities: &[[u8; 32]],
    ) -> Result<HashSet<[u8; 32]>, Error> {
        let mut stored = HashSet::new();
        for identity in identities {
            let query = sqlx::query("SELECT 1 FROM countersign_inbox WHERE identity = $1");
            if query.bind(&identity[..]).fetch_optional(&mut *connection).await?.is_some() {
                stored.insert(*identity);
            }
        }
        Ok(stored)
    }

    async fn follow_indexes(_: &mut SqliteConnection) -> Result<(), Error> {
        // It does so without being told.
        Ok(())
    }

    async fn due(
        connection: &mut SqliteConnection,
        vanished: bool,
        limit: i64,
    ) -> Result<Vec<Candidate>, Error> {
        let query = sqlx::query_as(if vanished {
            "SELECT id, attempts, order_key FROM countersign_inbox WHERE state = 0 AND token IS NOT NULL
                AND due_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY due_at, id LIMIT $1"
        } else {
            "SELECT id, attempts, order_key FROM countersign_inbox WHERE state = 0 AND token IS NULL
                AND due_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY due_at, id LIMIT $1"
        });
        let rows: Vec<_> = query.bind(limit).fetch_all(connection).await?;
        Ok(rows.into_iter().map(Candidate::new).collect())
    }

    async fn turns(
        connection: &mut SqliteConnection,
        ids: &[i64],
    ) -> Result<(HashSet<i64>, Vec<i64>), Error> {
        let query = sqlx::query_scalar(
            "SELECT d.id FROM countersign_inbox AS d WHERE d.id IN (SELECT value FROM json_each($1))
                AND NOT EXISTS (SELECT 1 FROM countersign_inbox AS earlier
                    WHERE earlier.order_key = d.order_key AND earlier.state IN (0, 1) AND earlier.id < d.id)
                AND NOT EXISTS (SELECT 1 FROM countersign_inbox AS held
                    WHERE held.order_key = d.order_key AND held.state = 0 AND held.token IS NOT NULL
                        AND held.due_at > CAST(unixepoch('subsec') * 1000 AS INTEGER) AND held.id <> d.id)",
        );
        let turn: Vec<i64> = query.bind(numbers(ids)).fetch_all(connection).await?;
        let turn: HashSet<i64> = turn.into_iter().collect();
        let waiting = ids.iter().copied().filter(|id| !turn.contains(id)).collect();
        Ok((turn, waiting))
    }

    async fn park_after(
        connection: &mut SqliteConnection,
        order_key: &[u8],
        id: i64,
        limit: i64,
    ) -> Result<(), Error> {
        let query = sqlx::query(
            "UPDATE countersign_inbox SET state = 1 WHERE state = 0 AND token IS NULL AND id IN (
                SELECT id FROM countersign_inbox WHERE order_key = $1 AND id > $2 AND state IN (0, 1) ORDER BY id LIMIT $3)",
        );
        query.bind(order_key).bind(id).bind(limit).execute(connection).await?;
        Ok(())
    }

    async fn lock_order_keys(_: &mut SqliteConnection, _: &[Vec<u8>]) -> Result<(), Error> {
        // A transaction that writes is alone already.
        Ok(())
    }

    async fn finish(
        connection: &mut SqliteConnection,
        finishes: &[&Finish],
    ) -> Result<HashSet<(i64, Token)>, Error> {
        let mut passed = HashSet::with_capacity(finishes.len());
        for finish in finishes {
            let query = sqlx::query(
                "UPDATE countersign_inbox SET state = $3, attempts = attempts - $6, failure = COALESCE($5, failure),
                    token = CASE WHEN $3 = 2 THEN token END,
                    due_at = MAX(CAST(unixepoch('subsec') * 1000 AS INTEGER) + $4, CASE WHEN $3 = 2 THEN keep_until ELSE 0 END),
                    finished_at = CASE WHEN $3 <> 0 THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END
                    WHERE id = $1 AND token = $2 AND state = 0",
            );
            let query = query
                .bind(finish.id)
                .bind(&finish.token[..])
                .bind(finish.state())
                .bind(finish.delay())
                .bind(finish.failure())
                .bind(finish.refund());
            if query.execute(&mut *connection).await?.rows_affected() > 0 {
                passed.insert((finish.id, finish.token));
            }
        }
        Ok(passed)
    }

    async fn extend(
        connection: &mut SqliteConnection,
        held: &[(i64, Token)],
        lease: i64,
    ) -> Result<HashSet<(i64, Token)>, Error> {
        let mut passed = HashSet::with_capacity(held.len());
        for (id, token) in held {
            let query = sqlx::query(
                "UPDATE countersign_inbox SET due_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) + $3
                    WHERE id = $1 AND token = $2 AND state = 0",
            );
            let query = query.bind(id).bind(&token[..]).bind(lease);
            if query.execute(&mut *connection).await?.rows_affected() > 0 {
                passed.insert((*id, *token));
            }
        }
        Ok(passed)
    }

    async fn remove(connection: &mut SqliteConnection, limit: i64) -> Result<u64, Error> {
        let query = sqlx::query_scalar(
            "DELETE FROM countersign_inbox WHERE id IN (SELECT id FROM countersign_inbox WHERE state IN (2, 4)
                AND due_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY due_at LIMIT $1) RETURNING id",
        );
        let ids: Vec<i64> = query.bind(limit).fetch_all(&mut *connection).await?;
        let query = sqlx::query(
            "DELETE FROM countersign_inbox_content WHERE id IN (SELECT value FROM json_each($1))",
        );
        Ok(query.bind(numbers(&ids)).execute(connection).await?.rows_affected())
    }

    shared_methods!(
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        "IN (SELECT value FROM json_each($1))",
        "countersign_inbox AS d JOIN countersign_inbox_content AS c ON c.id = d.id"
    );
}

/// Closes idle connections that sqlx believes to be in a transaction. On a full disk, SQLite rolls back of itself: sqlx's own
/// `ROLLBACK` fails then, and the connection can never begin another transaction.
async fn close_stuck(pool: &Pool<Sqlite>) -> Result<(), Error> {
    let idle: Vec<_> = iter::from_fn(|| pool.try_acquire()).collect();
    for connection in idle {
        if connection.is_in_transaction() {
            connection.close().await?;
        }
    }
    Ok(())
}

/// A list as SQLite takes it.
fn numbers(numbers: &[i64]) -> String {
    serde_json::Value::from(numbers).to_string()
}

/// The statements that insert so many rows, the most first: few, so that they stay prepared.
static INSERTS: LazyLock<[(usize, Inserts); 7]> =
    LazyLock::new(|| [64, 32, 16, 8, 4, 2, 1].map(|size| (size, Inserts::of(size))));

struct Inserts {
    rows: String,
    contents: String,
}

impl Inserts {
    fn of(size: usize) -> Self {
        const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
        let row = format!("(?, ?, ?, {NOW}, ?, ?, {NOW} + ?, 0, {NOW}, 0)");
        Self {
            rows: format!(
                "INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, order_key, keep_until, \
                 state, due_at, attempts) VALUES {} ON CONFLICT (identity) DO NOTHING RETURNING id, identity",
                vec![row; size].join(", ")
            ),
            contents: format!(
                "INSERT INTO countersign_inbox_content (id, headers, body) VALUES {}",
                vec!["(?, ?, ?)"; size].join(", ")
            ),
        }
    }
}
