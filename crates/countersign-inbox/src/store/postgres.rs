use std::collections::HashSet;

use sqlx::{Error, Executor, FromRow, PgConnection, Pool, Postgres, Row, Transaction};

use super::{
    Candidate, Dialect, EntryRow, Finish, Incoming, NotDurable, Selection, StatsRow, Token,
    dialect::Sealed,
    migrate::CREATE_SCHEMA_TABLE,
    shared::{entry, shared_methods, state},
};
use crate::Stored;

/// Names the lock under which one process at a time migrates: the bytes of `csinbox` as a number. Order keys are hashed with it,
/// too, so that their locks are ours.
const LOCK: i64 = 0x0063_7369_6e62_6f78;

/// Which deliveries are due. The clock of the statement's start lets the database use the index.
const DUE: &str = "SELECT id, attempts, order_key FROM countersign_inbox WHERE state = 0 AND token IS NULL
    AND due_at <= (EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::BIGINT
    ORDER BY due_at, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED";
/// Of which of these the last attempt vanished.
const DUE_VANISHED: &str =
    "SELECT id, attempts, order_key FROM countersign_inbox WHERE state = 0 AND token IS NOT NULL
    AND due_at <= (EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::BIGINT
    ORDER BY due_at, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED";

impl Dialect for Postgres {}

impl Sealed for Postgres {
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../../migrations/postgres/1.sql")];
    const ONE_WRITER: bool = false;

    fn writers(pool: &Pool<Self>) -> Pool<Self> {
        pool.clone()
    }

    async fn begin(pool: &Pool<Self>) -> Result<Transaction<'static, Self>, Error> {
        // In a stricter level, which a database can have as its default, `promote` would miss what was parked before its lock.
        pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    async fn begin_migration(pool: &Pool<Self>) -> Result<Transaction<'static, Self>, Error> {
        let mut transaction = pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
        transaction.execute(CREATE_SCHEMA_TABLE).await?;
        Ok(transaction)
    }

    async fn not_durable(connection: &mut PgConnection) -> Result<Option<NotDurable>, Error> {
        for setting in ["fsync", "synchronous_commit"] {
            let query = sqlx::query_scalar("SELECT current_setting($1)");
            let value: String = query.bind(setting).fetch_one(&mut *connection).await?;
            if value == "off" {
                return Ok(Some(NotDurable { setting, value }));
            }
        }
        Ok(None)
    }

    async fn insert(connection: &mut PgConnection, rows: &[&Incoming]) -> Result<HashSet<[u8; 32]>, Error> {
        // In one order, so that two receivers with the same deliveries do not wait for each other in a circle.
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| *row.identity.as_bytes());
        let query = sqlx::query_scalar(
            "WITH clock AS (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AS now)
            INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, order_key, keep_until, state,
                    due_at, attempts, headers, body)
                SELECT i.identity, i.sender, i.key_id, now, i.received_by, i.order_key, now + i.keep_for, 0, now, 0, i.headers,
                    i.body
                FROM clock, UNNEST($1::BYTEA[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BYTEA[], $6::BIGINT[], $7::TEXT[],
                    $8::BYTEA[]) AS i (identity, sender, key_id, received_by, order_key, keep_for, headers, body)
                ON CONFLICT (identity) DO NOTHING RETURNING identity",
        );
        let new: Vec<Vec<u8>> = query
            .bind(rows.iter().map(|row| &row.identity.as_bytes()[..]).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.sender.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.key_id.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.received_by.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.order_key.as_deref()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.keep_for).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.headers.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| &row.body[..]).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        Ok(identities(new))
    }

    async fn stored(connection: &mut PgConnection, these: &[[u8; 32]]) -> Result<HashSet<[u8; 32]>, Error> {
        let query = sqlx::query_scalar("SELECT identity FROM countersign_inbox WHERE identity = ANY($1)");
        let these: Vec<_> = these.iter().map(|identity| &identity[..]).collect();
        Ok(identities(query.bind(these).fetch_all(connection).await?))
    }

    async fn follow_indexes(connection: &mut PgConnection) -> Result<(), Error> {
        // Until a backlog is analyzed, the database believes it to be short: each claim would read and sort all of it.
        connection.execute("SET LOCAL enable_bitmapscan TO off; SET LOCAL enable_seqscan TO off").await?;
        Ok(())
    }

    async fn due(connection: &mut PgConnection, vanished: bool, limit: i64) -> Result<Vec<Candidate>, Error> {
        let query = sqlx::query_as(if vanished { DUE_VANISHED } else { DUE });
        let rows: Vec<_> = query.bind(limit).fetch_all(connection).await?;
        Ok(rows.into_iter().map(Candidate::new).collect())
    }

    async fn turns(connection: &mut PgConnection, ids: &[i64]) -> Result<(HashSet<i64>, Vec<i64>), Error> {
        // An attempt that ends holds the lock of its order key, so nobody waits for what has just ended.
        let query = sqlx::query_scalar(
            "SELECT id FROM (SELECT id, order_key FROM countersign_inbox WHERE id = ANY($1) OFFSET 0) AS keyed
                WHERE pg_try_advisory_xact_lock(hashtextextended(encode(order_key, 'hex'), $2))",
        );
        let locked: Vec<i64> = query.bind(ids).bind(LOCK).fetch_all(&mut *connection).await?;
        // A statement of its own: it sees what was committed before the locks were ours.
        let query = sqlx::query_scalar(
            "SELECT d.id FROM countersign_inbox AS d WHERE d.id = ANY($1)
                AND NOT EXISTS (SELECT 1 FROM countersign_inbox AS earlier
                    WHERE earlier.order_key = d.order_key AND earlier.state IN (0, 1) AND earlier.id < d.id)
                AND NOT EXISTS (SELECT 1 FROM countersign_inbox AS held
                    WHERE held.order_key = d.order_key AND held.state = 0 AND held.token IS NOT NULL
                        AND held.due_at > (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AND held.id <> d.id)",
        );
        let turn: Vec<i64> = query.bind(&locked).fetch_all(connection).await?;
        let turn: HashSet<i64> = turn.into_iter().collect();
        let waiting = locked.into_iter().filter(|id| !turn.contains(id)).collect();
        Ok((turn, waiting))
    }

    async fn park_after(
        connection: &mut PgConnection,
        order_key: &[u8],
        id: i64,
        limit: i64,
    ) -> Result<(), Error> {
        // Rows that another claim has locked are left to it: two claims must not wait for each other in a circle.
        let query = sqlx::query(
            "UPDATE countersign_inbox SET state = 1 WHERE id = ANY (ARRAY(
                SELECT d.id FROM (SELECT id FROM countersign_inbox WHERE order_key = $1 AND id > $2 AND state IN (0, 1)
                    ORDER BY id LIMIT $3) AS later JOIN countersign_inbox AS d ON d.id = later.id
                    WHERE d.state = 0 AND d.token IS NULL FOR NO KEY UPDATE OF d SKIP LOCKED))",
        );
        query.bind(order_key).bind(id).bind(limit).execute(connection).await?;
        Ok(())
    }

    async fn lock_order_keys(connection: &mut PgConnection, keys: &[Vec<u8>]) -> Result<(), Error> {
        // In one order, so that two transactions do not wait for each other in a circle.
        let query = sqlx::query(
            "SELECT pg_advisory_xact_lock(hash) FROM (
                SELECT DISTINCT hashtextextended(encode(key, 'hex'), $2) AS hash FROM UNNEST($1::BYTEA[]) AS key
                    ORDER BY hash OFFSET 0) AS hashes",
        );
        query.bind(keys).bind(LOCK).execute(connection).await?;
        Ok(())
    }

    async fn finish(
        connection: &mut PgConnection,
        finishes: &[&Finish],
    ) -> Result<HashSet<(i64, Token)>, Error> {
        let mut finishes = finishes.to_vec();
        finishes.sort_by_key(|finish| finish.id);
        let query = sqlx::query_as(
            "UPDATE countersign_inbox AS d SET state = f.state, attempts = d.attempts - f.refund,
                failure = COALESCE(f.failure, d.failure), token = CASE WHEN f.state = 2 THEN d.token END,
                due_at = GREATEST((EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT + f.delay,
                    CASE WHEN f.state = 2 THEN d.keep_until ELSE 0 END),
                finished_at = CASE WHEN f.state <> 0 THEN (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT END
                FROM UNNEST($1::BIGINT[], $2::BYTEA[], $3::INTEGER[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[])
                    AS f (id, token, state, delay, failure, refund)
                WHERE d.id = f.id AND d.token = f.token AND d.state = 0 RETURNING f.id, f.token",
        );
        let rows: Vec<(i64, Vec<u8>)> = query
            .bind(finishes.iter().map(|finish| finish.id).collect::<Vec<_>>())
            .bind(finishes.iter().map(|finish| &finish.token[..]).collect::<Vec<_>>())
            .bind(finishes.iter().map(|finish| finish.state()).collect::<Vec<_>>())
            .bind(finishes.iter().map(|finish| finish.delay()).collect::<Vec<_>>())
            .bind(finishes.iter().map(|finish| finish.failure()).collect::<Vec<_>>())
            .bind(finishes.iter().map(|finish| finish.refund()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        Ok(attempts(rows))
    }

    async fn extend(
        connection: &mut PgConnection,
        held: &[(i64, Token)],
        lease: i64,
    ) -> Result<HashSet<(i64, Token)>, Error> {
        let mut held = held.to_vec();
        held.sort_unstable();
        let query = sqlx::query_as(
            "UPDATE countersign_inbox AS d SET due_at = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT + $3
                FROM UNNEST($1::BIGINT[], $2::BYTEA[]) AS f (id, token)
                WHERE d.id = f.id AND d.token = f.token AND d.state = 0 RETURNING f.id, f.token",
        );
        let rows: Vec<(i64, Vec<u8>)> = query
            .bind(held.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(held.iter().map(|(_, token)| &token[..]).collect::<Vec<_>>())
            .bind(lease)
            .fetch_all(connection)
            .await?;
        Ok(attempts(rows))
    }

    async fn remove(connection: &mut PgConnection, limit: i64) -> Result<u64, Error> {
        // The array makes the database run the subquery once; the clock of the statement's start lets it use the index.
        let query = sqlx::query(
            "DELETE FROM countersign_inbox WHERE id = ANY (ARRAY(SELECT id FROM countersign_inbox WHERE state IN (2, 4)
                AND due_at <= (EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::BIGINT
                ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED))",
        );
        Ok(query.bind(limit).execute(connection).await?.rows_affected())
    }

    shared_methods!(
        "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT",
        "= ANY($1)",
        "countersign_inbox AS d"
    );
}

/// A list as PostgreSQL takes it.
fn numbers(numbers: &[i64]) -> &[i64] {
    numbers
}

fn identities(rows: Vec<Vec<u8>>) -> HashSet<[u8; 32]> {
    rows.into_iter().filter_map(|identity| identity.try_into().ok()).collect()
}

fn attempts(rows: Vec<(i64, Vec<u8>)>) -> HashSet<(i64, Token)> {
    rows.into_iter().filter_map(|(id, token)| Some((id, token.try_into().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Inbox, sqlx::PgPool};

    #[tokio::test]
    async fn a_claim_reads_a_backlog_that_was_never_analyzed_in_the_order_of_its_index() {
        let Some(server) = test_servers::Postgres::start() else { return };
        let pool = PgPool::connect(&server.url()).await.unwrap();
        Inbox::builder(pool.clone()).build().await.unwrap();
        let backlog = "INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, keep_until, state,
                due_at, attempts, headers, body)
            SELECT sha256(n::TEXT::BYTEA), 'moduslink', 'key', n, 'a', n, 0, n, 0, '[]', '' FROM generate_series(1, 5000) AS n";
        pool.execute(backlog).await.unwrap();
        let mut transaction = Postgres::begin(&pool).await.unwrap();
        Postgres::follow_indexes(&mut transaction).await.unwrap();
        for due in [DUE, DUE_VANISHED] {
            let explain = format!("EXPLAIN {due}");
            let plan: Vec<String> =
                sqlx::query_scalar(&explain).bind(16_i64).fetch_all(&mut *transaction).await.unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains("Index Scan using countersign_inbox_"), "{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("Bitmap"), "{plan}");
        }
    }
}
