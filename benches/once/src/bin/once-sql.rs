//! Times the SQL stores beside the bare two statements of the same client. A commit does not wait for the disk here: that would
//! hide what the store adds.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p once --bin once-sql [-- ROUNDS]
//! ```

use std::{error::Error, time::Duration};

use countersign_once::{
    Decision, Identity, Once, Outcome, PostgresStore, SqliteStore,
    sqlx::{
        PgPool, SqlitePool,
        postgres::{PgConnectOptions, PgPoolOptions},
        query, query_scalar,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};
use in_process::report;
use once::{
    identity,
    rounds::{Contestant, Delivered, Row, measured},
};
use test_servers::Postgres;
use tokio::runtime::{Builder, Runtime};

const KEEP: Duration = Duration::from_secs(25 * 60 * 60);
const TOKEN: [u8; 16] = [1; 16];
/// The store's own times are the database's. A time from here is less work.
const EXPIRES_AT: i64 = 4_000_000_000_000;

const INSERT: &str =
    "INSERT INTO bare (identity, token, done, expires_at) VALUES ($1, $2, FALSE, $3) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE bare SET done = TRUE, expires_at = $3 WHERE identity = $1 AND token = $2";
const SELECT: &str = "SELECT done FROM bare WHERE identity = $1";

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = report::samples()?.min(41);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("once.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let pool = runtime.block_on(SqlitePoolOptions::new().max_connections(1).connect_with(options))?;
    let sqlite: String = runtime.block_on(query_scalar("SELECT sqlite_version()").fetch_one(&pool))?;
    let mut rows = sqlite_rows(&runtime, &pool, rounds)?;
    let Some(server) = Postgres::start() else { return Err("there is no PostgreSQL".into()) };
    let options: PgConnectOptions = server.url().parse()?;
    let options = options.options([("synchronous_commit", "off")]);
    let pool = runtime.block_on(PgPoolOptions::new().max_connections(8).connect_with(options))?;
    let postgres: String = runtime.block_on(query_scalar("SHOW server_version").fetch_one(&pool))?;
    rows.extend(postgres_rows(&runtime, &pool, rounds)?);
    let notes = [
        format!("SQLite {sqlite}, in WAL mode with synchronous=NORMAL, over one connection"),
        format!("PostgreSQL {postgres} on the same machine, with synchronous_commit=off"),
        "the floor of a new delivery: INSERT … ON CONFLICT DO NOTHING and UPDATE, in a table of the same columns and index; of a duplicate: SELECT by the key".to_owned(),
        "a duplicate takes two statements: the claim that is refused, and the reason".to_owned(),
    ];
    report::write(env!("CARGO_PKG_NAME"), "once-sql", rounds, &notes, &rows)
}

/// sqlx has no words for "either database" that are shorter than this.
macro_rules! rows {
    ($name:ident, $database:literal, $pool:ty, $store:ty, $lanes:expr) => {
        fn $name(runtime: &Runtime, pool: &$pool, rounds: usize) -> Result<Vec<Row>, Box<dyn Error>> {
            async fn execute(pool: &$pool, statement: &str, identity: Identity) -> Delivered {
                let query = query(statement).bind(&identity.as_bytes()[..]).bind(&TOKEN[..]).bind(EXPIRES_AT);
                match query.execute(pool).await?.rows_affected() {
                    1 => Ok(()),
                    rows => Err(format!("{rows} rows").into()),
                }
            }

            let store = <$store>::new(pool.clone());
            runtime.block_on(store.migrate())?;
            let once = Once::new(store)?;
            let known = identity::new();
            runtime.block_on(async {
                for statement in bare_schema($database) {
                    query(&statement).execute(pool).await?;
                }
                execute(pool, INSERT, known).await?;
                execute(pool, UPDATE, known).await?;
                handle(&once, known).await
            })?;
            let mut rows = Vec::new();
            for lanes in $lanes {
                let setting =
                    if lanes == 1 { "1 connection".to_owned() } else { format!("{lanes} connections") };
                let new = vec![
                    Contestant::new("floor: two bare statements", runtime, vec![(); lanes], async |()| {
                        let identity = identity::new();
                        execute(pool, INSERT, identity).await?;
                        execute(pool, UPDATE, identity).await
                    }),
                    Contestant::new("Once", runtime, vec![(); lanes], async |()| {
                        handle(&once, identity::new()).await
                    }),
                ];
                rows.extend(measured(&format!("{}, new, {setting}", $database), new, rounds));
                let duplicates = vec![
                    Contestant::new("floor: one bare statement", runtime, vec![(); lanes], async |()| {
                        let done: bool =
                            query_scalar(SELECT).bind(&known.as_bytes()[..]).fetch_one(pool).await?;
                        if done { Ok(()) } else { Err("it is not done".into()) }
                    }),
                    Contestant::new("Once", runtime, vec![(); lanes], async |()| {
                        let outcome = once.begin(known, Some(KEEP)).await.outcome();
                        if outcome == Outcome::Duplicate { Ok(()) } else { Err(outcome.as_str().into()) }
                    }),
                ];
                rows.extend(measured(&format!("{}, duplicate, {setting}", $database), duplicates, rounds));
            }
            Ok(rows)
        }
    };
}

rows!(sqlite_rows, "SQLite", SqlitePool, SqliteStore, [1]);
rows!(postgres_rows, "PostgreSQL", PgPool, PostgresStore, [1, 8]);

async fn handle(once: &Once, identity: Identity) -> Delivered {
    match once.begin(identity, Some(KEEP)).await {
        Decision::Handle(running) => {
            let _ = running.complete().await?;
            Ok(())
        }
        decision => Err(decision.outcome().as_str().into()),
    }
}

/// As the store's own, in the words of the database.
fn bare_schema(database: &str) -> [String; 2] {
    let schema = match database {
        "SQLite" => include_str!("../../../../crates/countersign-once/migrations/sqlite/1.sql"),
        _ => include_str!("../../../../crates/countersign-once/migrations/postgres/1.sql"),
    };
    let schema = schema.replace("countersign_once", "bare");
    let (table, index) = schema.split_once(';').expect("two statements");
    [table.to_owned(), index.to_owned()]
}
