//! Workers: over a growing backlog, and in several processes.
#![expect(clippy::cast_precision_loss, reason = "some thousands")]

use std::{
    env,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_inbox::{
    Delivery, Dialect, Failure, Filter, Inbox, SqliteInbox, State,
    sqlx::{self, PgPool, Postgres, Sqlite, SqlitePool},
};
use inbox::{Rate, deliveries};
use tokio::sync::Semaphore;

const ROUNDS: usize = 5;
/// Deliveries that are handled in a turn.
const HANDLED: usize = 800;
/// The wait of a handler, and how many wait at a time in a process.
const WAIT: Duration = Duration::from_millis(10);
const CONCURRENCY: usize = 16;
const DRAINED: usize = 4000;

#[tokio::main]
async fn main() {
    if let Some(url) = env::args().nth(1) {
        return child(&url).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("inbox.db");
    let server = test_servers::Postgres::start().expect("PostgreSQL is installed");
    let sqlite = SqliteInbox::open(&file).await.expect("a file").build().await.expect("an inbox");
    let pool = PgPool::connect(&server.url()).await.expect("a connection");
    let postgres = Inbox::builder(pool).build().await.expect("an inbox");

    let mut processes = Vec::new();
    for count in [1, 2] {
        processes.push(drained("SQLite", &sqlite, &format!("sqlite:{}", file.display()), count).await);
        processes.push(drained("PostgreSQL", &postgres, &server.url(), count).await);
    }
    let mut backlogs = Vec::new();
    for unfinished in [1_000, 100_000, 1_000_000] {
        fill_sqlite(sqlite.pool(), unfinished).await;
        backlogs.push(handled("SQLite", &sqlite, unfinished).await);
        fill_postgres(postgres.pool(), unfinished).await;
        backlogs.push(handled("PostgreSQL", &postgres, unfinished).await);
    }
    let mut rows = compared(&backlogs);
    rows.extend(compared(&processes));
    in_process::report::write::<&str, _>("inbox", "inbox-work", ROUNDS, &[], &rows).expect("a report");
}

/// The time for each delivery while some of a backlog is handled.
async fn handled<DB: Dialect>(
    database: &'static str,
    inbox: &Inbox<DB>,
    unfinished: usize,
) -> (&'static str, String, f64) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let count = Arc::new(AtomicUsize::new(0));
        let enough = Arc::new(Semaphore::new(0));
        let handler = {
            let (count, enough) = (Arc::clone(&count), Arc::clone(&enough));
            move |_: Delivery<DB>| {
                if count.fetch_add(1, Ordering::Relaxed) + 1 == HANDLED {
                    enough.add_permits(1);
                }
                async { Ok::<(), Failure>(()) }
            }
        };
        let start = Instant::now();
        let shutdown = async { drop(enough.acquire().await) };
        inbox.work(handler).concurrency(CONCURRENCY).run_until(shutdown).await.expect("it works");
        times.push(start.elapsed().as_secs_f64() * 1e6 / count.load(Ordering::Relaxed) as f64);
        // As many as before.
        inbox.replay(&Filter::all().state(State::Done)).await.expect("they are pending again");
    }
    times.sort_by(f64::total_cmp);
    let micros_each = times[ROUNDS / 2];
    println!("{database:12} backlog {unfinished:>9}: {micros_each:.0} µs for each delivery");
    (database, format!("{unfinished} unfinished"), 1e6 / micros_each)
}

/// Fills the inbox up to a backlog, with rows as `accept` makes them.
async fn fill_sqlite(pool: &SqlitePool, unfinished: usize) {
    sqlx::raw_sql(&format!(
        "DELETE FROM countersign_inbox; DELETE FROM countersign_inbox_content;
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {unfinished})
        INSERT INTO countersign_inbox (id, identity, sender, key_id, received_at, received_by, keep_until, state, due_at, attempts)
            SELECT n, randomblob(32), 'moduslink', 'key', n, 'a', n, 0, n, 0 FROM numbers;
        INSERT INTO countersign_inbox_content SELECT id, '[]', zeroblob(1024) FROM countersign_inbox; ANALYZE"
    ))
    .execute(pool)
    .await
    .expect("a backlog");
}

async fn fill_postgres(pool: &PgPool, unfinished: usize) {
    sqlx::raw_sql(&format!(
        "TRUNCATE countersign_inbox;
        INSERT INTO countersign_inbox (identity, sender, key_id, received_at, received_by, keep_until, state, due_at, attempts,
                headers, body)
            SELECT sha256(n::TEXT::BYTEA), 'moduslink', 'key', n, 'a', n, 0, n, 0, '[]', decode(repeat('00', 1024), 'hex')
            FROM generate_series(1, {unfinished}) AS n;
        ANALYZE"
    ))
    .execute(pool)
    .await
    .expect("a backlog");
}

/// How fast so many processes drain the inbox.
async fn drained<DB: Dialect>(
    database: &'static str,
    inbox: &Inbox<DB>,
    url: &str,
    processes: usize,
) -> (&'static str, String, f64) {
    let mut rates = Vec::new();
    for round in 0..ROUNDS {
        let no_headers: [(&str, &str); 0] = [];
        let new = deliveries(DRAINED, &format!("{processes} {round}"));
        for chunk in new.chunks(64) {
            let mut set = tokio::task::JoinSet::new();
            for delivery in chunk {
                let (inbox, delivery) = (inbox.clone(), delivery.clone());
                set.spawn(async move { inbox.accept(&delivery, &no_headers).await.expect("it is stored") });
            }
            set.join_all().await;
        }
        let program = env::current_exe().expect("this program");
        let mut children: Vec<Child> = (0..processes)
            .map(|_| Command::new(&program).arg(url).stdin(Stdio::null()).spawn().expect("a process"))
            .collect();
        let start = Instant::now();
        let unfinished = [State::Pending, State::Running].into_iter().fold(Filter::all(), Filter::state);
        while !inbox.list(&unfinished, 0, 1).await.expect("a list").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rates.push(DRAINED as f64 / start.elapsed().as_secs_f64());
        for child in &mut children {
            child.kill().expect("ours to kill");
            child.wait().expect("it ends");
        }
    }
    rates.sort_by(f64::total_cmp);
    let per_second = rates[ROUNDS / 2];
    println!("{database:12} {processes} processes: {per_second:.0} deliveries a second");
    (database, format!("{processes} process(es), handlers wait 10 ms"), per_second)
}

/// Rates beside the first of the same database.
fn compared(rows: &[(&'static str, String, f64)]) -> Vec<Rate> {
    let first = |group| rows.iter().find(|(other, ..)| *other == group).map_or(f64::NAN, |(.., rate)| *rate);
    let mut rates: Vec<_> = rows
        .iter()
        .map(|(group, name, per_second)| Rate {
            group,
            name: name.clone(),
            per_second: *per_second,
            ratio: per_second / first(*group),
        })
        .collect();
    rates.sort_by_key(|rate| rate.group);
    rates
}

async fn child(url: &str) {
    if url.starts_with("sqlite:") {
        let file = url.trim_start_matches("sqlite:");
        work::<Sqlite>(SqliteInbox::open(file).await.expect("a file").build().await.expect("an inbox")).await;
    } else {
        let pool = PgPool::connect(url).await.expect("a connection");
        work::<Postgres>(Inbox::builder(pool).build().await.expect("an inbox")).await;
    }
}

async fn work<DB: Dialect>(inbox: Inbox<DB>) {
    let handler = async |_: Delivery<DB>| {
        tokio::time::sleep(WAIT).await;
        Ok(())
    };
    inbox.work(handler).concurrency(CONCURRENCY).run_until(std::future::pending()).await.expect("it works");
}
