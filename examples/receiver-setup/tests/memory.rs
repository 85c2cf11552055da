//! Where `REDIS_URL` and `DATABASE_URL` make a receiver remember deliveries, and what stops it from starting.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a failing test panics")]

use countersign_once::{Decision, Fence, Identity, Outcome};
use receiver_setup::Memory;
use test_servers::{Postgres, Redis};

const IDENTITY: Identity = Identity::from_bytes([1; 32]);

async fn redis(url: &str) -> Memory {
    Memory::at(Some(url.to_owned()), None).await.unwrap()
}

async fn database(url: &str) -> Memory {
    Memory::at(None, Some(url.to_owned())).await.unwrap()
}

async fn error(redis_url: Option<&str>, database_url: Option<&str>) -> String {
    Memory::at(redis_url.map(Into::into), database_url.map(Into::into)).await.unwrap_err().to_string()
}

async fn outcome(memory: &Memory) -> Outcome {
    memory.once().begin(IDENTITY, None).await.outcome()
}

async fn handle(memory: &Memory) {
    match memory.once().begin(IDENTITY, None).await {
        Decision::Handle(running) => assert_eq!(running.complete().await.unwrap(), Fence::Passed),
        decision => panic!("{decision:?}"),
    }
}

/// A delivery that one receiver handled is a duplicate at the other.
async fn assert_shared(one: Memory, other: Memory) {
    handle(&one).await;
    assert_eq!(outcome(&other).await, Outcome::Duplicate);
}

#[tokio::test]
async fn without_a_url_each_receiver_has_a_memory_of_its_own() {
    let (one, other) = (Memory::at(None, None).await.unwrap(), Memory::at(None, None).await.unwrap());
    handle(&one).await;
    assert_eq!(outcome(&one).await, Outcome::Duplicate);
    assert_eq!(outcome(&other).await, Outcome::New);
}

#[tokio::test]
async fn receivers_with_one_redis_url_share_their_memory() {
    let Some(server) = Redis::start() else { return };
    assert_shared(redis(&server.url()).await, redis(&server.url()).await).await;
}

#[tokio::test]
async fn receivers_with_one_sqlite_file_share_their_memory() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("deliveries.db").display());
    assert_shared(database(&url).await, database(&url).await).await;
}

#[tokio::test]
async fn receivers_with_one_postgres_url_share_their_memory() {
    let Some(server) = Postgres::start() else { return };
    assert_shared(database(&server.url()).await, database(&server.url()).await).await;
    let url = server.url().replace("postgres://", "postgresql://");
    assert_eq!(outcome(&database(&url).await).await, Outcome::Duplicate);
}

#[tokio::test]
async fn two_urls_are_an_error() {
    assert_eq!(
        error(Some("redis://127.0.0.1/"), Some("sqlite::memory:")).await,
        "REDIS_URL and DATABASE_URL are both set: choose one"
    );
}

#[tokio::test]
async fn a_url_of_another_kind_is_an_error() {
    let wanted = "DATABASE_URL begins with neither sqlite: nor postgres:";
    for url in ["mysql://127.0.0.1/", "deliveries.db", "redis://127.0.0.1/", ""] {
        assert_eq!(error(None, Some(url)).await, wanted, "{url}");
    }
    for url in ["http://127.0.0.1/", "127.0.0.1", ""] {
        let message = error(Some(url), None).await;
        assert!(message.contains("Redis URL did not parse"), "{url}: {message}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_error_that_shows_no_password() {
    let message = error(Some("redis://:correct-horse@127.0.0.1:1/"), None).await;
    assert!(message.contains("Connection refused") && !message.contains("horse"), "{message}");
    let message = error(None, Some("sqlite:/no/such/folder/deliveries.db")).await;
    assert!(message.contains("unable to open database file"), "{message}");
    let message = error(None, Some("postgres://user:correct-horse@127.0.0.1:port/")).await;
    assert!(message.contains("port") && !message.contains("horse"), "{message}");
    let Some(server) = Postgres::start() else { return };
    let message = error(None, Some(&server.url().replace("/postgres", "/nowhere"))).await;
    assert!(message.contains("nowhere"), "{message}");
}
