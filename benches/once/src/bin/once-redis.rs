//! Times the Redis store beside the bare round trips of the same client, over 1 and 64 connections. Redis keeps nothing on disk
//! here: waiting for the disk would hide what the store adds.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p once --bin once-redis [-- ROUNDS]
//! ```

use std::{error::Error, time::Duration};

use countersign_once::{
    Decision, Identity, Once, Outcome, RedisStore,
    redis::{
        Client, Cmd, ExistenceCheck, Script, SetExpiry, SetOptions,
        aio::{ConnectionManager, ConnectionManagerConfig},
        cmd,
    },
};
use in_process::report;
use once::{
    identity,
    rounds::{Contestant, Delivered, Row, measured},
};
use test_servers::Redis;
use tokio::runtime::{Builder, Runtime};

const LEASE_MS: u64 = 60_000;
const KEEP_MS: u64 = 90_000_000;
const KEEP: Duration = Duration::from_millis(KEEP_MS);
/// As large as what the store writes.
const VALUES: [[u8; 17]; 2] = [[b'p'; 17], [b'd'; 17]];

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = report::samples()?.min(41);
    let Some(server) = Redis::start() else { return Err("there is no redis-server".into()) };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let connect = |number: usize| -> Result<Vec<_>, Box<dyn Error>> {
        (0..number).map(|_| runtime.block_on(connected(&server.url()))).collect()
    };
    let (one, sixty_four) = (connect(1)?, connect(64)?);
    let shared = vec![one[0].clone(); 64];
    let version = runtime.block_on(prepared(one[0].clone()))?;
    let mut rows = Vec::new();
    for (setting, connections) in
        [("1 connection", one), ("64 connections", sixty_four), ("64 tasks, 1 connection", shared)]
    {
        rows.extend(new(&format!("new, {setting}"), &runtime, &connections, rounds)?);
        rows.extend(duplicates(&format!("duplicate, {setting}"), &runtime, &connections, rounds)?);
    }
    let notes = [
        format!("{version} on the same machine, without persistence; the client runs on one thread"),
        "the floor of a new delivery: SET NX PX and SET PX of the same keys and values; of a duplicate: GET"
            .to_owned(),
        "the store's own commands: SET NX GET PX and the script of the completion, by the client alone"
            .to_owned(),
    ];
    report::write(env!("CARGO_PKG_NAME"), "once-redis", rounds, &notes, &rows)
}

/// As `RedisStore::connect` does it.
async fn connected(address: &str) -> Result<ConnectionManager, Box<dyn Error>> {
    let config = ConnectionManagerConfig::new().set_response_timeout(None);
    Ok(ConnectionManager::new_with_config(Client::open(address)?, config).await?)
}

/// Turns the disk off, and returns the server's name and version.
async fn prepared(mut connection: ConnectionManager) -> Result<String, Box<dyn Error>> {
    cmd("CONFIG").arg("SET").arg("appendonly").arg("no").exec_async(&mut connection).await?;
    let info: String = cmd("INFO").arg("server").query_async(&mut connection).await?;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or_default();
    Ok(format!("Redis {version}"))
}

fn new(
    group: &str,
    runtime: &Runtime,
    connections: &[ConnectionManager],
    rounds: usize,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let script = completion();
    runtime.block_on(script.load_async(&mut connections[0].clone()))?;
    let contestants = vec![
        Contestant::new("floor: two bare round trips", runtime, connections.to_vec(), two_sets),
        Contestant::new(
            "floor: the store's own commands",
            runtime,
            connections.to_vec(),
            async |connection| own_commands(connection, &script).await,
        ),
        Contestant::new("Once", runtime, stores(runtime, connections)?, handle_new),
    ];
    Ok(measured(group, contestants, rounds))
}

fn duplicates(
    group: &str,
    runtime: &Runtime,
    connections: &[ConnectionManager],
    rounds: usize,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let known = identity::new();
    let mut stores = stores(runtime, connections)?;
    runtime.block_on(handle(&mut stores[0], known)).map_err(|_| "the first is not new")?;
    let contestants = vec![
        Contestant::new("floor: one bare round trip", runtime, connections.to_vec(), async |connection| {
            one_get(connection, known).await
        }),
        Contestant::new("Once", runtime, stores, async |once| {
            let outcome = once.begin(known, Some(KEEP)).await.outcome();
            if outcome == Outcome::Duplicate { Ok(()) } else { Err(outcome.as_str().into()) }
        }),
    ];
    Ok(measured(group, contestants, rounds))
}

/// A `Once` for each connection.
fn stores(runtime: &Runtime, connections: &[ConnectionManager]) -> Result<Vec<Once>, Box<dyn Error>> {
    let store = |connection: &ConnectionManager| -> Result<Once, Box<dyn Error>> {
        let store = RedisStore::new(connection.clone());
        runtime.block_on(store.check())?;
        Ok(Once::new(store)?)
    };
    connections.iter().map(store).collect()
}

async fn handle_new(once: &mut Once) -> Delivered {
    handle(once, identity::new()).await
}

async fn handle(once: &mut Once, identity: Identity) -> Delivered {
    match once.begin(identity, Some(KEEP)).await {
        Decision::Handle(running) => {
            let _ = running.complete().await?;
            Ok(())
        }
        decision => Err(decision.outcome().as_str().into()),
    }
}

async fn two_sets(connection: &mut ConnectionManager) -> Delivered {
    let key = key(identity::new());
    let [held, done] = VALUES;
    let claim =
        SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::PX(LEASE_MS));
    let granted: bool = Cmd::set_options(&key, &held, claim).query_async(connection).await?;
    let complete = SetOptions::default().with_expiration(SetExpiry::PX(KEEP_MS));
    Cmd::set_options(&key, &done, complete).exec_async(connection).await?;
    if granted { Ok(()) } else { Err("the key is not new".into()) }
}

async fn own_commands(connection: &mut ConnectionManager, script: &Script) -> Delivered {
    let key = key(identity::new());
    let [held, done] = VALUES;
    let claim = SetOptions::default()
        .conditional_set(ExistenceCheck::NX)
        .get(true)
        .with_expiration(SetExpiry::PX(LEASE_MS));
    let before: Option<Vec<u8>> = Cmd::set_options(&key, &held, claim).query_async(connection).await?;
    let mut complete = cmd("EVALSHA");
    complete.arg(script.get_hash()).arg(1).arg(&key).arg(&held).arg(&done).arg(KEEP_MS);
    let passed: bool = complete.query_async(connection).await?;
    if before.is_none() && passed { Ok(()) } else { Err("the key is not new".into()) }
}

async fn one_get(connection: &mut ConnectionManager, identity: Identity) -> Delivered {
    let value: Option<Vec<u8>> = cmd("GET").arg(key(identity)).query_async(connection).await?;
    // The store of the duplicates wrote it, under its own prefix.
    if value.is_some() { Ok(()) } else { Err("the key is not there".into()) }
}

fn key(identity: Identity) -> String {
    format!("countersign:once:{identity}")
}

/// What the store's completion does, in the same words.
fn completion() -> Script {
    Script::new(
        "local value = redis.call('GET', KEYS[1])
         if value and value ~= ARGV[1] and value ~= ARGV[2] then return 0 end
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
         return 1",
    )
}
