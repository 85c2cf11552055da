//! A handler that writes one row in the delivery's own transaction, beside bare transactions that write such a row.

use std::sync::Arc;

use countersign_inbox::{
    Delivery, Dialect, Failure, Inbox, SqliteInbox,
    sqlx::{self, Database, Pool, Postgres, Sqlite, postgres::PgPoolOptions, sqlite::SqlitePoolOptions},
};
use inbox::{Rate, Rates, deliveries};
use tokio::{sync::Semaphore, task::JoinSet};

const ROUNDS: usize = 7;
const EFFECTS: usize = 2048;
/// How many handlers run at a time.
const CONCURRENCY: usize = 16;
const NO_HEADERS: [(&str, &str); 0] = [];
const TABLE: &str = "CREATE TABLE orders (number BIGINT NOT NULL, body TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO orders (number, body) VALUES ($1, $2)";

/// A database in which handlers write.
trait Effects: Dialect {
    /// Writes a row.
    fn write(
        connection: &mut <Self as Database>::Connection,
        number: i64,
        body: String,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

macro_rules! effects {
    ($($database:ty)+) => {
        $(impl Effects for $database {
            async fn write(
                connection: &mut <Self as Database>::Connection,
                number: i64,
                body: String,
            ) -> Result<(), sqlx::Error> {
                sqlx::query(INSERT).bind(number).bind(body).execute(connection).await.map(drop)
            }
        })+
    };
}

effects!(Sqlite Postgres);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = SqliteInbox::open(folder.path().join("inbox.db")).await.expect("a file");
    let sqlite = file.build().await.expect("an inbox");
    sqlx::query(TABLE).execute(sqlite.pool()).await.expect("a table");
    // SQLite has one writer at a time: tasks that queue for one connection are faster than those that wait for each other's locks.
    let one = SqlitePoolOptions::new().max_connections(1);
    let bare = one.connect_with((*sqlite.pool().connect_options()).clone()).await.expect("a connection");
    let mut rates = compared("SQLite", &bare, &sqlite).await;

    let server = test_servers::Postgres::start().expect("PostgreSQL is installed");
    // A connection for each handler, and four.
    let many = PgPoolOptions::new().max_connections(20);
    let pool = many.connect(&server.url()).await.expect("a connection");
    sqlx::query(TABLE).execute(&pool).await.expect("a table");
    let postgres = Inbox::builder(pool.clone()).build().await.expect("an inbox");
    rates.extend(compared("PostgreSQL", &pool, &postgres).await);
    in_process::report::write::<&str, _>("inbox", "inbox-effect", ROUNDS, &[], &rates).expect("a report");
}

async fn compared<DB: Effects>(database: &'static str, bare: &Pool<DB>, inbox: &Inbox<DB>) -> Vec<Rate> {
    let mut rates = Rates::default();
    for round in 0..ROUNDS {
        rates
            .turn(0, "floor: a transaction for each row, 16 tasks", EFFECTS, async || without(bare).await)
            .await;
        store(inbox, round).await;
        rates
            .turn(1, "the inbox, the row in the delivery's transaction", EFFECTS, async || {
                within(inbox).await;
            })
            .await;
        store(inbox, round + ROUNDS).await;
        rates.turn(2, "the inbox, no row", EFFECTS, async || nothing(inbox).await).await;
    }
    rates.rates(database)
}

async fn without<DB: Effects>(pool: &Pool<DB>) {
    let mut tasks = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let pool = pool.clone();
        tasks.spawn(async move {
            for number in 0..EFFECTS / CONCURRENCY {
                let mut transaction = pool.begin().await.expect("a transaction");
                let number = i64::try_from(number).expect("a few");
                DB::write(&mut *transaction, number, BODY.to_owned()).await.expect("a row");
                transaction.commit().await.expect("a commit");
            }
        });
    }
    tasks.join_all().await;
}

/// What a handler makes of a body.
const BODY: &str = "an order";

/// Stores what the next turn handles.
async fn store<DB: Effects>(inbox: &Inbox<DB>, turn: usize) {
    let mut tasks = JoinSet::new();
    for delivery in deliveries(EFFECTS, &format!("turn {turn}")) {
        let inbox = inbox.clone();
        tasks.spawn(async move { inbox.accept(&delivery, &NO_HEADERS).await.expect("it is stored") });
    }
    tasks.join_all().await;
}

async fn within<DB: Effects>(inbox: &Inbox<DB>) {
    let handler = async |delivery: Delivery<DB>| {
        let mut transaction = delivery.begin().await?;
        DB::write(&mut **transaction, delivery.entry().id, BODY.to_owned()).await?;
        Ok(transaction.commit().await?)
    };
    work(inbox, handler).await;
}

async fn nothing<DB: Effects>(inbox: &Inbox<DB>) {
    work(inbox, async |_: Delivery<DB>| Ok(())).await;
}

/// Runs a worker until everything is handled.
async fn work<DB, F>(inbox: &Inbox<DB>, handler: impl Fn(Delivery<DB>) -> F + Copy + Send + Sync + 'static)
where
    DB: Effects,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let done = Arc::new(Semaphore::new(0));
    let count = {
        let done = Arc::clone(&done);
        move |delivery| {
            let done = Arc::clone(&done);
            async move {
                handler(delivery).await?;
                done.add_permits(1);
                Ok(())
            }
        }
    };
    let all = u32::try_from(EFFECTS).expect("a few");
    let shutdown = async { done.acquire_many(all).await.expect("it is never closed").forget() };
    inbox.work(count).concurrency(CONCURRENCY).run_until(shutdown).await.expect("it works");
}
