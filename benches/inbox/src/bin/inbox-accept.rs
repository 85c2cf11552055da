//! Deliveries that are stored durably, beside bare inserts with as many rows to a commit.

use std::{path::Path, sync::Arc};

use countersign::VerifiedDelivery;
use countersign_inbox::{
    Dialect, Inbox, SqliteInbox,
    sqlx::{self, PgPool, Sqlite, SqlitePool},
};
use inbox::{Plain, Rate, Rates, deliveries, resident_bytes};
use tokio::task::JoinSet;

const ROUNDS: usize = 7;
const MANY: usize = 4096;
const FEW: usize = 1024;
const NO_HEADERS: [(&str, &str); 0] = [];

#[tokio::main]
async fn main() {
    let mut rates = sqlite().await;
    rates.extend(postgres().await);
    let (small, large) = memory().await;
    let note = format!(
        "Resident memory of a process that only accepts: {} MiB after 10,000 deliveries, {} MiB after 100,000.",
        small >> 20,
        large >> 20
    );
    in_process::report::write("inbox", "inbox-accept", ROUNDS, &[note], &rates).expect("a report");
}

async fn sqlite() -> Vec<Rate> {
    let mut rates = Rates::default();
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        let many = deliveries(MANY, &format!("many {round}"));
        let few = deliveries(FEW, &format!("few {round}"));
        for (place, name, rows) in
            [(0, "floor: plain loop, 64 rows a commit", 64), (1, "plain loop, 8 rows a commit", 8)]
        {
            let file = folder.path().join(format!("plain{rows}.db"));
            rates.turn(place, name, MANY, async || plain_loop(&file, &many, rows)).await;
        }
        let file = folder.path().join("plain1.db");
        rates.turn(2, "plain loop, one commit for each", FEW, async || plain_loop(&file, &few, 1)).await;
        let pool = sqlx_table(&folder.path().join("sqlx.db")).await;
        rates
            .turn(3, "sqlx, one statement for each, 64 rows a commit", MANY, async || {
                sqlx_loop(&pool, &many, 64).await;
            })
            .await;
        rates.turn(4, "sqlx, one commit for each", FEW, async || sqlx_loop(&pool, &few, 1).await).await;
        let same = sqlx_table(&folder.path().join("same.db")).await;
        rates
            .turn(5, "sqlx, an inbox's rows, one commit for each", FEW, async || same_rows(&same, &few).await)
            .await;
        let inbox = SqliteInbox::open(folder.path().join("inbox.db"))
            .await
            .expect("a file")
            .build()
            .await
            .expect("an inbox");
        rates.turn(6, "the inbox, 64 tasks", MANY, async || accept(&inbox, many, 64).await).await;
        rates.turn(7, "the inbox, one task", FEW, async || accept(&inbox, few, 1).await).await;
    }
    rates.rates("SQLite")
}

fn plain_loop(file: &Path, deliveries: &[VerifiedDelivery], rows: usize) {
    let mut plain = Plain::open(file);
    for chunk in deliveries.chunks(rows) {
        plain.insert(
            chunk.iter().map(|delivery| (*delivery.identify().identity.as_bytes(), &delivery.body()[..])),
        );
    }
}

const INSERT: &str = "INSERT INTO plain (identity, body) VALUES (?, ?)";

async fn sqlx_table(file: &Path) -> SqlitePool {
    let inbox: Inbox<Sqlite> =
        SqliteInbox::open(file).await.expect("a file").build().await.expect("an inbox");
    Plain::open(file);
    inbox.pool().clone()
}

async fn sqlx_loop(pool: &SqlitePool, deliveries: &[VerifiedDelivery], rows: usize) {
    for chunk in deliveries.chunks(rows) {
        let mut transaction = pool.begin().await.expect("a transaction");
        for delivery in chunk {
            let identity = *delivery.identify().identity.as_bytes();
            let query = sqlx::query(INSERT).bind(&identity[..]).bind(&delivery.body()[..]);
            query.execute(&mut *transaction).await.expect("a row");
        }
        transaction.commit().await.expect("a commit");
    }
}

/// The rows of an inbox and their indexes, without any of what an inbox does beside.
async fn same_rows(pool: &SqlitePool, deliveries: &[VerifiedDelivery]) {
    for delivery in deliveries {
        let mut transaction = pool.begin().await.expect("a transaction");
        let identity = *delivery.identify().identity.as_bytes();
        let row = sqlx::query_scalar(
            "INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, keep_until, state, due_at, attempts)
            VALUES (?, 'moduslink', 'bench', 1, 'bench', 1, 0, 1, 0) RETURNING id",
        );
        let id: i64 = row.bind(&identity[..]).fetch_one(&mut *transaction).await.expect("a row");
        let content =
            sqlx::query("INSERT INTO countersign_inbox_content (id, headers, body) VALUES (?, '[]', ?)");
        content.bind(id).bind(&delivery.body()[..]).execute(&mut *transaction).await.expect("a row");
        transaction.commit().await.expect("a commit");
    }
}

async fn postgres() -> Vec<Rate> {
    let server = test_servers::Postgres::start().expect("PostgreSQL is installed");
    let pool = PgPool::connect(&server.url()).await.expect("a connection");
    sqlx::query("CREATE TABLE plain (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, identity BYTEA NOT NULL UNIQUE, body BYTEA NOT NULL)")
        .execute(&pool)
        .await
        .expect("a table");
    let inbox = Inbox::builder(pool.clone()).build().await.expect("an inbox");
    sqlx::query("CREATE DATABASE same").execute(&pool).await.expect("a database");
    let options = pool.connect_options().as_ref().clone().database("same");
    let same = PgPool::connect_with(options).await.expect("a connection");
    Inbox::builder(same.clone()).build().await.expect("an inbox");
    let mut rates = Rates::default();
    for round in 0..ROUNDS {
        let many = deliveries(MANY, &format!("many {round}"));
        let few = deliveries(FEW, &format!("few {round}"));
        rates
            .turn(0, "floor: one statement for 64 rows, and commit", MANY, async || {
                unnest(&pool, PLAIN, &many, 64).await;
            })
            .await;
        rates.turn(1, "one commit for each", FEW, async || unnest(&pool, PLAIN, &few, 1).await).await;
        rates
            .turn(2, "an inbox's rows, 64 to a statement, and commit", MANY, async || {
                unnest(&same, SAME, &many, 64).await;
            })
            .await;
        rates.turn(3, "the inbox, 64 tasks", MANY, async || accept(&inbox, many, 64).await).await;
        rates.turn(4, "the inbox, one task", FEW, async || accept(&inbox, few, 1).await).await;
    }
    rates.rates("PostgreSQL")
}

const PLAIN: &str = "INSERT INTO plain (identity, body) SELECT * FROM UNNEST($1::BYTEA[], $2::BYTEA[])";

/// The row of an inbox and its indexes, without any of what an inbox does beside.
const SAME: &str =
    "INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, keep_until, state, due_at, attempts,
        headers, body)
    SELECT i.identity, 'moduslink', 'bench', 1, 'bench', 1, 0, 1, 0, '[]', i.body
    FROM UNNEST($1::BYTEA[], $2::BYTEA[]) AS i (identity, body)";

async fn unnest(pool: &PgPool, insert: &str, deliveries: &[VerifiedDelivery], rows: usize) {
    for chunk in deliveries.chunks(rows) {
        let mut transaction = pool.begin().await.expect("a transaction");
        let identities: Vec<_> =
            chunk.iter().map(|delivery| delivery.identify().identity.as_bytes().to_vec()).collect();
        let bodies: Vec<_> = chunk.iter().map(|delivery| &delivery.body()[..]).collect();
        sqlx::query(insert).bind(identities).bind(bodies).execute(&mut *transaction).await.expect("rows");
        transaction.commit().await.expect("a commit");
    }
}

/// Accepts all of them, so many tasks at a time.
async fn accept<DB: Dialect>(inbox: &Inbox<DB>, deliveries: Vec<VerifiedDelivery>, tasks: usize) {
    let share = deliveries.len().div_ceil(tasks);
    let deliveries: Arc<[VerifiedDelivery]> = deliveries.into();
    let mut set = JoinSet::new();
    for task in 0..tasks {
        let (inbox, deliveries) = (inbox.clone(), Arc::clone(&deliveries));
        set.spawn(async move {
            for delivery in deliveries.iter().skip(task * share).take(share) {
                inbox.accept(delivery, &NO_HEADERS).await.expect("it is stored");
            }
        });
    }
    set.join_all().await;
}

/// Nobody works, so the backlog grows.
async fn memory() -> (u64, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let inbox = SqliteInbox::open(folder.path().join("inbox.db"))
        .await
        .expect("a file")
        .build()
        .await
        .expect("an inbox");
    let mut resident = Vec::new();
    for step in 0..10 {
        accept(&inbox, deliveries(10_000, &format!("step {step}")), 64).await;
        resident.push(resident_bytes());
    }
    (resident[0], resident[9])
}
