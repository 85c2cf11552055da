//! An inbox in a database of its own, and deliveries for it.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use countersign::VerifiedDelivery;
use countersign_inbox::{Dialect, Entry, Filter, Inbox, InboxBuilder, SqliteInbox, State, sqlx};
use sqlx::{
    Pool, Postgres, Sqlite,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) use crate::{deliveries::delivery, signing::NO_HEADERS};

/// For how long a test waits for what must come. No test depends on how fast it does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A database that a test can be run on.
pub(crate) trait TestDatabase: Dialect {
    type Server: Send;
    /// Stores 20,000 pending deliveries of the order key `a`.
    const MANY: &'static [&'static str];
    /// How many bodies the tables hold.
    const BODIES: &'static str;

    /// `None`: it is not installed.
    async fn start() -> Option<(Self::Server, Pool<Self>)>;
    fn execute(connection: &mut Self::Connection, statement: &str) -> impl Future<Output = ()> + Send;
    /// Ignores a failure.
    fn try_to_execute(connection: &mut Self::Connection, statement: &str) -> impl Future<Output = ()> + Send;
    async fn number(pool: &Pool<Self>, query: &str) -> i64;
}

impl TestDatabase for Sqlite {
    type Server = TempDir;
    const MANY: &'static [&'static str] = &[
        "INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, order_key, keep_until, state,
                due_at, attempts)
            WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < 20000)
            SELECT CAST(printf('%032d', value) AS BLOB), 'moduslink', 'key-1', 0, 'test', CAST('a' AS BLOB), 0, 0, value, 0
            FROM numbers",
        "INSERT INTO countersign_inbox_content (id, headers, body) SELECT id, '[]', CAST('a/' || id AS BLOB) FROM countersign_inbox",
    ];
    const BODIES: &'static str = "SELECT COUNT(*) FROM countersign_inbox_content";

    async fn start() -> Option<(TempDir, Pool<Self>)> {
        let folder = TempDir::new().unwrap();
        let inbox = SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap().build().await.unwrap();
        let options = SqliteConnectOptions::clone(&inbox.pool().connect_options()).busy_timeout(PATIENCE);
        Some((folder, SqlitePoolOptions::new().connect_with(options).await.unwrap()))
    }

    async fn execute(connection: &mut Self::Connection, statement: &str) {
        sqlx::query(statement).execute(connection).await.unwrap();
    }

    async fn try_to_execute(connection: &mut Self::Connection, statement: &str) {
        let _ = sqlx::query(statement).execute(connection).await;
    }

    async fn number(pool: &Pool<Self>, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
    }
}

impl TestDatabase for Postgres {
    type Server = test_servers::Postgres;
    const MANY: &'static [&'static str] =
        &["INSERT INTO countersign_inbox (identity, sender, key_id, received_at,
            received_by, order_key, keep_until, state, due_at, attempts, headers, body)
        SELECT CAST(lpad(CAST(value AS TEXT), 32, '0') AS BYTEA), 'moduslink', 'key-1', 0,
            'test', 'a', 0, 0, value, 0, '[]', CAST('a/' || value AS BYTEA)
        FROM generate_series(1, 20000) AS value"];
    const BODIES: &'static str = "SELECT COUNT(*) FROM countersign_inbox";

    async fn start() -> Option<(test_servers::Postgres, Pool<Self>)> {
        let server = test_servers::Postgres::start()?;
        let pool = PgPoolOptions::new().max_connections(30).connect(&server.url()).await.unwrap();
        Some((server, pool))
    }

    async fn execute(connection: &mut Self::Connection, statement: &str) {
        sqlx::query(statement).execute(connection).await.unwrap();
    }

    async fn try_to_execute(connection: &mut Self::Connection, statement: &str) {
        let _ = sqlx::query(statement).execute(connection).await;
    }

    async fn number(pool: &Pool<Self>, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
    }
}

/// A database with a table `effects`, and what stops its workers.
pub(crate) struct Desk<DB: TestDatabase> {
    pub(crate) pool: Pool<DB>,
    pub(crate) server: DB::Server,
    stop: watch::Sender<bool>,
}

impl<DB: TestDatabase> Desk<DB> {
    pub(crate) async fn new() -> Option<Self> {
        let (server, pool) = DB::start().await?;
        DB::execute(&mut *pool.acquire().await.unwrap(), "CREATE TABLE effects (delivery BIGINT NOT NULL)")
            .await;
        Some(Self { pool, server, stop: watch::Sender::new(false) })
    }

    pub(crate) async fn inbox(&self) -> Inbox<DB> {
        self.build(|builder| builder).await
    }

    pub(crate) async fn build(&self, set: impl FnOnce(InboxBuilder<DB>) -> InboxBuilder<DB>) -> Inbox<DB> {
        set(Inbox::builder(self.pool.clone()).store_timeout(PATIENCE)).build().await.unwrap()
    }

    /// Ready once [`stop`](Self::stop) is called.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(crate) async fn effects(&self) -> i64 {
        DB::number(&self.pool, "SELECT COUNT(*) FROM effects").await
    }

    pub(crate) async fn distinct_effects(&self) -> i64 {
        DB::number(&self.pool, "SELECT COUNT(DISTINCT delivery) FROM effects").await
    }
}

/// Runs a test in both databases.
macro_rules! in_both {
    ($($name:ident)+) => {
        mod in_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::desk::Desk::<countersign_inbox::sqlx::Sqlite>::new().await.unwrap()).await;
            })+
        }

        mod in_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(desk) = $crate::desk::Desk::<countersign_inbox::sqlx::Postgres>::new().await {
                    super::$name(desk).await;
                }
            })+
        }
    };
}
pub(crate) use in_both;

/// A verified delivery that no other call returns.
pub(crate) fn another() -> VerifiedDelivery {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    delivery(format!("delivery {}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Waits until `count` deliveries are in `state`.
pub(crate) async fn wait_for<DB: Dialect>(inbox: &Inbox<DB>, state: State, count: usize) -> Vec<Entry> {
    let began = std::time::Instant::now();
    loop {
        let entries = inbox.list(&Filter::all().state(state), 0, 10_000).await.unwrap();
        if entries.len() == count {
            return entries;
        }
        if began.elapsed() > PATIENCE {
            let all = inbox.list(&Filter::all(), 0, 100).await.unwrap();
            panic!("{} deliveries are {state}, not {count}: {all:#?}", entries.len());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
