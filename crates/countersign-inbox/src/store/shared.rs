//! The statements that both databases take.

/// The columns of an entry. A pending delivery with a lease counts as running.
macro_rules! entry {
    ($now:literal) => {
        concat!(
            "d.id, d.identity, d.sender, d.key_id, d.received_at, d.received_by, d.order_key, ",
            state!($now),
            ", d.due_at, d.attempts, d.failure, d.finished_at"
        )
    };
}

/// The code of a row's [`State`](crate::State).
macro_rules! state {
    ($now:literal) => {
        concat!(
            "CASE WHEN d.state = 0 AND d.token IS NOT NULL AND d.due_at > ",
            $now,
            " THEN 5 ELSE d.state END"
        )
    };
}

/// The methods of [`Sealed`](super::dialect::Sealed) whose statements differ in the expression for now in milliseconds, in how
/// `$1` is a list of numbers, which the function `numbers` makes, and in where the content is.
macro_rules! shared_methods {
    ($now:literal, $in:literal, $with_content:literal) => {
        async fn run(connection: &mut Self::Connection, script: &'static str) -> Result<(), Error> {
            connection.execute(script).await?;
            Ok(())
        }

        async fn version(connection: &mut Self::Connection) -> Result<i64, Error> {
            let query = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM countersign_inbox_schema");
            query.fetch_one(connection).await
        }

        async fn set_version(connection: &mut Self::Connection, version: i64) -> Result<(), Error> {
            let query = sqlx::query("INSERT INTO countersign_inbox_schema (version) VALUES ($1)");
            query.bind(version).execute(connection).await?;
            Ok(())
        }

        async fn backlog(connection: &mut Self::Connection, limit: i64) -> Result<i64, Error> {
            let query = sqlx::query_scalar(
                "SELECT COUNT(*) FROM (SELECT 1 FROM countersign_inbox WHERE state IN (0, 1) LIMIT $1) AS unfinished",
            );
            query.bind(limit).fetch_one(connection).await
        }

        async fn park(connection: &mut Self::Connection, ids: &[i64]) -> Result<(), Error> {
            let query =
                sqlx::query(concat!("UPDATE countersign_inbox SET state = 1, token = NULL WHERE state = 0 AND id ", $in));
            query.bind(numbers(ids)).execute(connection).await?;
            Ok(())
        }

        async fn bury(connection: &mut Self::Connection, ids: &[i64], failure: &str) -> Result<(), Error> {
            let query = sqlx::query(concat!(
                "UPDATE countersign_inbox SET state = 3, token = NULL, failure = $2, finished_at = ",
                $now,
                " WHERE id ",
                $in
            ));
            query.bind(numbers(ids)).bind(failure).execute(connection).await?;
            Ok(())
        }

        async fn take(
            connection: &mut Self::Connection,
            ids: &[i64],
            token: &Token,
            lease: i64,
        ) -> Result<(), Error> {
            let query = sqlx::query(concat!(
                "UPDATE countersign_inbox SET token = $2, attempts = attempts + 1, due_at = ",
                $now,
                " + $3 WHERE id ",
                $in
            ));
            query.bind(numbers(ids)).bind(&token[..]).bind(lease).execute(connection).await?;
            Ok(())
        }

        async fn read(connection: &mut Self::Connection, ids: &[i64]) -> Result<Vec<Stored>, Error> {
            let query = sqlx::query(concat!(
                "SELECT ",
                entry!($now),
                ", headers, body FROM ",
                $with_content,
                " WHERE d.id ",
                $in,
                " ORDER BY d.id"
            ));
            let rows = query.bind(numbers(ids)).fetch_all(connection).await?;
            let stored = |row: &Self::Row| {
                let entry = EntryRow::from_row(row)?;
                Ok((entry, row.try_get("headers")?, row.try_get("body")?).into())
            };
            rows.iter().map(stored).collect()
        }

        async fn promote(connection: &mut Self::Connection, order_key: &[u8]) -> Result<(), Error> {
            let query = sqlx::query(concat!(
                "UPDATE countersign_inbox SET state = 0 WHERE state = 1 AND id = (SELECT MIN(id) FROM countersign_inbox
                    WHERE order_key = $1 AND state IN (0, 1))
                    AND NOT EXISTS (SELECT 1 FROM countersign_inbox AS held WHERE held.order_key = $1 AND held.state = 0
                        AND held.token IS NOT NULL AND held.due_at > ", $now, ")"
            ));
            query.bind(order_key).execute(connection).await?;
            Ok(())
        }

        async fn is_done_by(connection: &mut Self::Connection, id: i64, token: &Token) -> Result<bool, Error> {
            let query =
                sqlx::query_scalar::<_, i64>("SELECT id FROM countersign_inbox WHERE id = $1 AND state = 2 AND token = $2");
            Ok(query.bind(id).bind(&token[..]).fetch_optional(connection).await?.is_some())
        }

        async fn list(connection: &mut Self::Connection, selection: &Selection) -> Result<Vec<EntryRow>, Error> {
            let query = sqlx::query_as(concat!(
                "SELECT ",
                entry!($now),
                " FROM countersign_inbox AS d WHERE d.id > $1 AND ((CAST(1 AS BIGINT) << (",
                state!($now),
                ")) & $2) <> 0 AND (CAST($3 AS BIGINT) IS NULL OR d.id = $3) AND (CAST($4 AS TEXT) IS NULL OR d.sender = $4)
                    AND d.received_at >= $5 AND d.received_at < $6 ORDER BY d.id LIMIT $7"
            ));
            query
                .bind(selection.after)
                .bind(selection.states)
                .bind(selection.id)
                .bind(selection.sender.as_deref())
                .bind(selection.received_from)
                .bind(selection.received_before)
                .bind(selection.limit)
                .fetch_all(connection)
                .await
        }

        async fn mend(
            connection: &mut Self::Connection,
            ids: &[i64],
            from: i64,
            to: i32,
            keep: i64,
        ) -> Result<u64, Error> {
            let query = sqlx::query(concat!(
                "UPDATE countersign_inbox AS d SET state = $3, token = NULL, attempts = 0,
                    due_at = CASE WHEN $3 = 0 THEN ", $now, "
                        WHEN d.keep_until > ", $now, " + $4 THEN d.keep_until ELSE ", $now, " + $4 END,
                    finished_at = CASE WHEN $3 = 0 THEN NULL ELSE ", $now, " END
                    WHERE ((CAST(1 AS BIGINT) << (", state!($now), ")) & $2) <> 0 AND d.id ", $in
            ));
            let query = query.bind(numbers(ids)).bind(from).bind(to).bind(keep);
            Ok(query.execute(connection).await?.rows_affected())
        }

        async fn stats(connection: &mut Self::Connection) -> Result<StatsRow, Error> {
            let query = sqlx::query_as(concat!(
                "SELECT
                    (SELECT COUNT(*) FROM countersign_inbox WHERE state = 0 AND (token IS NULL OR due_at <= ", $now, ")),
                    (SELECT COUNT(*) FROM countersign_inbox WHERE state = 0 AND token IS NOT NULL AND due_at > ", $now, "),
                    (SELECT COUNT(*) FROM countersign_inbox WHERE state = 1 AND order_key IS NOT NULL),
                    (SELECT COUNT(*) FROM countersign_inbox WHERE state = 3),
                    (SELECT COUNT(*) FROM countersign_inbox WHERE state IN (2, 4)),
                    (SELECT ", $now, " - received_at FROM countersign_inbox WHERE state IN (0, 1) ORDER BY id LIMIT 1)"
            ));
            query.fetch_one(connection).await
        }
    };
}

pub(crate) use {entry, shared_methods, state};
