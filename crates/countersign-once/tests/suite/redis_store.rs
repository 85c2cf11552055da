use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_once::{
    Claim, ClaimAnswer, Decision, Fence, Identity, Once, Outcome, RedisStore, Store, Token,
};
use redis::AsyncCommands;
use test_servers::Redis;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const LEASE: Duration = Duration::from_secs(60);
/// Long enough for a loaded machine that the server runs on.
const LIMIT: Duration = Duration::from_secs(2);
/// For how long a call may take that gives up after [`LIMIT`]: nothing hangs.
const PATIENCE: Duration = Duration::from_secs(20);

fn identity(number: u8) -> Identity {
    Identity::from_bytes([number; 32])
}

async fn once(redis: &Redis) -> Once {
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    Once::builder(store).lease(LEASE).store_timeout(LIMIT).build().unwrap()
}

async fn client(redis: &Redis) -> redis::aio::MultiplexedConnection {
    redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Tries until the store answers.
async fn begin(once: &Once, identity: Identity) -> Decision {
    loop {
        match once.begin(identity, None).await {
            Decision::Unavailable(_) => sleep(Duration::from_millis(20)).await,
            decision => return decision,
        }
    }
}

async fn handle(once: &Once, identity: Identity) -> Result<Fence, Outcome> {
    match once.begin(identity, None).await {
        Decision::Handle(running) => running.complete().await.map_err(|_| Outcome::Unavailable),
        decision => Err(decision.outcome()),
    }
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_remembers_what_it_acknowledged() {
    let Some(mut redis) = Redis::start() else { return };
    let once = once(&redis).await;
    assert_eq!(handle(&once, identity(1)).await, Ok(Fence::Passed));
    let held = begin(&once, identity(2)).await;
    assert_eq!(held.outcome(), Outcome::New);

    redis.kill();
    let began = Instant::now();
    assert_eq!(handle(&once, identity(3)).await, Err(Outcome::Unavailable));
    assert_eq!(handle(&once, identity(1)).await, Err(Outcome::Unavailable));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());

    redis.restart();
    assert_eq!(begin(&once, identity(1)).await.outcome(), Outcome::Duplicate);
    assert_eq!(begin(&once, identity(2)).await.outcome(), Outcome::InProgress);
    assert_eq!(begin(&once, identity(3)).await.outcome(), Outcome::New);
}

#[tokio::test]
async fn a_completion_that_a_dead_server_missed_is_made_up_for_when_it_is_back() {
    let Some(mut redis) = Redis::start() else { return };
    let once = once(&redis).await;
    let Decision::Handle(running) = begin(&once, identity(1)).await else { panic!("it is new") };
    redis.kill();
    assert!(running.complete().await.is_err());
    redis.restart();
    let began = Instant::now();
    while begin(&once, identity(1)).await.outcome() != Outcome::Duplicate {
        assert!(began.elapsed() < LEASE / 2, "the background does not complete it");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_refuses_in_time_and_keeps_no_claim() {
    let Some(mut redis) = Redis::start() else { return };
    let once = once(&redis).await;
    redis.freeze();
    let began = Instant::now();
    assert_eq!(handle(&once, identity(1)).await, Err(Outcome::Unavailable));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    redis.thaw();
    // The claim and its release are both on their way to the server.
    let began = Instant::now();
    while begin(&once, identity(1)).await.outcome() != Outcome::New {
        assert!(began.elapsed() < LEASE / 2, "the claim is kept");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Under load: what was acknowledged as complete is never handled again.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_under_load_loses_no_acknowledged_completion() {
    let Some(mut redis) = Redis::start() else { return };
    let once = once(&redis).await;
    let acknowledged = Arc::new(Mutex::new(HashMap::<u8, usize>::new()));
    let mut senders = JoinSet::new();
    for number in 0..=255 {
        let (once, acknowledged) = (once.clone(), Arc::clone(&acknowledged));
        senders.spawn(async move {
            sleep(Duration::from_millis(u64::from(number) * 4)).await;
            // Each delivery comes until it is answered with success, and three times more.
            let mut answers = 0;
            while answers < 4 {
                match once.begin(identity(number), None).await {
                    Decision::Handle(running) => {
                        sleep(Duration::from_millis(5)).await;
                        if running.complete().await.is_ok() {
                            *acknowledged.lock().unwrap().entry(number).or_default() += 1;
                            answers += 1;
                        }
                    }
                    Decision::Duplicate => answers += 1,
                    _ => sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }
    sleep(Duration::from_millis(400)).await;
    redis.kill();
    sleep(Duration::from_millis(200)).await;
    redis.restart();
    senders.join_all().await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.values().all(|times| *times == 1), "{acknowledged:?}");
    for number in 0..=255 {
        assert_eq!(begin(&once, identity(number)).await.outcome(), Outcome::Duplicate, "{number}");
    }
}

#[tokio::test]
async fn scripts_that_the_server_lost_are_loaded_again() {
    let Some(redis) = Redis::start() else { return };
    let once = once(&redis).await;
    let Decision::Handle(running) = once.begin(identity(1), None).await else { panic!("it is new") };
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut client(&redis).await).await.unwrap();
    assert_eq!(running.complete().await.unwrap(), Fence::Passed);
}

#[tokio::test]
async fn a_key_is_the_prefix_and_the_identity_and_expires() {
    let Some(redis) = Redis::start() else { return };
    let store = RedisStore::connect(&redis.url()).await.unwrap().prefix("orders:");
    let claim = Claim::new(identity(0xAB), Token::from_bytes([1; 16]));
    assert_eq!(store.claim(claim, LEASE).await.unwrap(), ClaimAnswer::Granted);
    let key = format!("orders:{}", "ab".repeat(32));
    let mut client = client(&redis).await;
    assert_eq!(client.keys::<_, Vec<String>>("orders:*").await.unwrap(), [key.as_str()]);
    let left: i64 = client.pttl(&key).await.unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
    assert_eq!(store.complete(claim, Duration::from_secs(600)).await.unwrap(), Fence::Passed);
    let left: i64 = client.pttl(&key).await.unwrap();
    assert!((500_000..=600_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_key_that_the_store_did_not_write_is_an_error() {
    let Some(redis) = Redis::start() else { return };
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let key = format!("countersign:once:{}", identity(1));
    client(&redis).await.set::<_, _, ()>(key, "something else").await.unwrap();
    let claim = Claim::new(identity(1), Token::from_bytes([1; 16]));
    assert_eq!(
        store.claim(claim, LEASE).await.unwrap_err().to_string(),
        "the store failed: the key holds something that this store did not write"
    );
}

#[tokio::test]
async fn a_malformed_address_is_an_error_at_start_up() {
    assert!(RedisStore::connect("http://127.0.0.1/").await.is_err());
}
