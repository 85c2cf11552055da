//! Several processes with one store: this program starts itself again as the workers.
//!
//! - 1,000 concurrent copies of one delivery, from two processes, run the handler exactly once.
//! - A process that is killed again and again loses no acknowledged effect and doubles none.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong ends in a panic"
)]

use std::{
    collections::HashSet,
    env,
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use countersign_once::{Decision, Fence, Identity, Once, PostgresStore, RedisStore, SqliteStore, Store};
use sqlx::{
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use test_servers::{Postgres, Redis};
use tokio::task::JoinSet;

const PROCESSES: usize = 2;
const COPIES: usize = 500;
const DELIVERIES: u32 = 400;
const KILLS: usize = 25;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["worker", work, store] => runtime().block_on(worker(work, store)),
        // What `cargo test -- --list` and the like ask of a test without the usual harness.
        [flag, ..] if flag.starts_with("--list") => {}
        _ => {
            copies_in_redis_run_the_handler_once();
            copies_in_postgres_run_the_handler_once();
            copies_in_sqlite_run_the_handler_once();
            a_process_that_is_killed_loses_and_doubles_nothing();
        }
    }
}

fn copies_in_redis_run_the_handler_once() {
    let Some(redis) = Redis::start() else { return };
    assert_eq!(runs_of_all_copies(&redis.url()), 1);
    println!("copies_in_redis_run_the_handler_once: ok");
}

fn copies_in_postgres_run_the_handler_once() {
    let Some(postgres) = Postgres::start() else { return };
    runtime().block_on(async { postgres_store(&postgres.url()).await.migrate().await.unwrap() });
    assert_eq!(runs_of_all_copies(&postgres.url()), 1);
    println!("copies_in_postgres_run_the_handler_once: ok");
}

fn copies_in_sqlite_run_the_handler_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("once.db");
    let file = file.to_str().unwrap();
    runtime().block_on(async { sqlite_store(file).await.migrate().await.unwrap() });
    assert_eq!(runs_of_all_copies(file), 1);
    println!("copies_in_sqlite_run_the_handler_once: ok");
}

fn a_process_that_is_killed_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("once.db");
    let file = file.to_str().unwrap();
    let store = runtime().block_on(async {
        let store = sqlite_store(file).await;
        store.migrate().await.unwrap();
        sqlx::query("CREATE TABLE effects (number INTEGER NOT NULL)").execute(store.pool()).await.unwrap();
        store
    });
    let random = RandomState::new();
    let mut acknowledged = HashSet::new();
    for kill in 0..=KILLS {
        let mut worker = Worker::start("effects", file);
        worker.go();
        if kill < KILLS {
            sleep(Duration::from_millis(20 + random.hash_one(kill) % 200));
            worker.process.kill().unwrap();
        }
        // A line that the kill cut short is no acknowledgement.
        let lines = worker.output.lines().map_while(Result::ok);
        acknowledged.extend(lines.filter_map(|line| line.strip_suffix(';')?.parse::<u32>().ok()));
        worker.process.wait().unwrap();
    }
    let effects: Vec<u32> = runtime().block_on(async {
        sqlx::query_scalar("SELECT number FROM effects").fetch_all(store.pool()).await.unwrap()
    });
    let distinct: HashSet<_> = effects.iter().copied().collect();
    assert_eq!(effects.len(), distinct.len(), "an effect is doubled");
    assert!(acknowledged.is_subset(&distinct), "an acknowledged effect is missing");
    assert_eq!(distinct, (0..DELIVERIES).collect());
    println!("a_process_that_is_killed_loses_and_doubles_nothing: ok ({KILLS} kills)");
}

/// How often the handler ran, in all processes together.
fn runs_of_all_copies(store: &str) -> usize {
    let mut workers: Vec<_> = (0..PROCESSES).map(|_| Worker::start("copies", store)).collect();
    workers.iter_mut().for_each(Worker::go);
    let mut runs = 0;
    for mut worker in workers {
        let mut line = String::new();
        worker.output.read_line(&mut line).unwrap();
        runs += line.trim().parse::<usize>().unwrap_or_else(|_| panic!("{line:?}"));
        assert!(worker.process.wait().unwrap().success());
    }
    runs
}

/// A process of this program. It has connected when it is started, and works when it is told to.
struct Worker {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(work: &str, store: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["worker", work, store])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { process, input, output }
    }

    fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }
}

async fn worker(work: &str, store: &str) {
    match (work, store.split_once("://")) {
        ("copies", Some(("redis", _))) => copies(RedisStore::connect(store).await.unwrap()).await,
        ("copies", Some(("postgres", _))) => copies(postgres_store(store).await).await,
        ("copies", None) => copies(sqlite_store(store).await).await,
        ("effects", None) => effects(sqlite_store(store).await).await,
        other => panic!("{other:?}"),
    }
}

/// Sends copies of one delivery, each until it is answered with success, and prints how often the handler ran.
async fn copies(store: impl Store) {
    let once = Once::builder(store).store_timeout(Duration::from_secs(30)).build().unwrap();
    ready();
    let mut copies = JoinSet::new();
    for _ in 0..COPIES {
        let once = once.clone();
        copies.spawn(async move {
            loop {
                match once.begin(Identity::from_bytes([1; 32]), None).await {
                    Decision::Handle(running) => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        assert_eq!(running.complete().await.unwrap(), Fence::Passed);
                        return 1;
                    }
                    Decision::Duplicate => return 0,
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
    }
    println!("{}", copies.join_all().await.into_iter().sum::<usize>());
}

/// Handles every delivery, four at a time, each with an effect in the store's own database, and prints each that it
/// acknowledges.
async fn effects(store: SqliteStore) {
    let limit = Duration::from_millis(100);
    // A short lease: the next process waits for those of this one.
    let once = Once::builder(store.clone()).store_timeout(limit).lease(limit * 2).build().unwrap();
    ready();
    let mut senders = JoinSet::new();
    for sender in 0..4 {
        let (once, store) = (once.clone(), store.clone());
        senders.spawn(async move {
            for number in (sender..DELIVERIES).step_by(4) {
                while !acknowledged(&once, &store, number).await {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                println!("{number};");
            }
        });
    }
    senders.join_all().await;
}

async fn acknowledged(once: &Once, store: &SqliteStore, number: u32) -> bool {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    match once.begin(Identity::from_bytes(bytes), None).await {
        Decision::Handle(running) => {
            let (Some(claim), Some(keep_for)) = (running.claim(), running.keep_for()) else { return false };
            let Ok(mut transaction) = store.pool().begin_with("BEGIN IMMEDIATE").await else { return false };
            if !matches!(store.complete_in(&mut transaction, &claim, keep_for).await, Ok(Fence::Passed)) {
                return false;
            }
            let effect = sqlx::query("INSERT INTO effects VALUES ($1)").bind(number);
            if effect.execute(&mut *transaction).await.is_err() || transaction.commit().await.is_err() {
                return false;
            }
            let _ = running.complete().await;
            true
        }
        Decision::Duplicate => true,
        _ => false,
    }
}

fn ready() {
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    assert_eq!(line, "go\n");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

async fn postgres_store(url: &str) -> PostgresStore {
    let options = PgPoolOptions::new().max_connections(20);
    PostgresStore::new(options.connect(url).await.unwrap())
}

async fn sqlite_store(file: &str) -> SqliteStore {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .busy_timeout(Duration::from_secs(30))
        .journal_mode(SqliteJournalMode::Wal);
    SqliteStore::new(SqlitePoolOptions::new().max_connections(5).connect_with(options).await.unwrap())
}
