//! Redis over TLS (feature `redis-tls`), with certificates of an authority that the test makes.

use std::{env, fs, process::Command, time::Duration};

use countersign_once::{RedisStore, StoreError, conformance};
use redis::{
    Client, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use test_servers::Redis;
use tokio::time::timeout;

/// The URL of the server, for this program as a process that trusts the authority.
const URL: &str = "COUNTERSIGN_TEST_REDIS_URL";

/// A connection that trusts the test's authority, as a user makes one with settings of their own.
async fn trusting(redis: &Redis, address: &str) -> Result<RedisStore, StoreError> {
    // Another package of the workspace may turn a second provider of rustls on: then a client has to choose.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(fs::read(redis.ca()).unwrap()) };
    let client = Client::build_with_tls(address, certificates).map_err(StoreError::new)?;
    let once = ConnectionManagerConfig::new().set_number_of_retries(0);
    let connection = ConnectionManager::new_with_config(client, once).await.map_err(StoreError::new)?;
    let store = RedisStore::new(connection);
    store.check().await?;
    Ok(store)
}

async fn error(connecting: impl Future<Output = Result<RedisStore, StoreError>>) -> String {
    timeout(Duration::from_secs(20), connecting).await.unwrap().unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_store_passes_the_kit() {
    let Some(redis) = Redis::start_with_tls() else { return };
    let store = trusting(&redis, &redis.url()).await.unwrap();
    conformance::check(|| async { store.clone() }).await.unwrap();
}

#[tokio::test]
async fn connect_trusts_the_certificates_of_the_system() {
    if let Ok(url) = env::var(URL) {
        RedisStore::connect(&url).await.unwrap();
        return;
    }
    let Some(redis) = Redis::start_with_tls() else { return };
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "redis_tls::connect_trusts_the_certificates_of_the_system"])
        .env("SSL_CERT_FILE", redis.ca())
        .env(URL, redis.url())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_an_error_at_start_up() {
    let Some(redis) = Redis::start_with_tls() else { return };
    let message = error(RedisStore::connect(&redis.url())).await;
    assert!(message.contains("UnknownIssuer"), "{message}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_an_error_at_start_up() {
    let Some(redis) = Redis::start_with_tls() else { return };
    let message = error(trusting(&redis, &redis.url().replace("127.0.0.1", "localhost"))).await;
    assert!(message.contains("not valid for name"), "{message}");
}

#[tokio::test]
async fn an_address_without_tls_is_an_error_where_the_server_wants_tls() {
    let Some(redis) = Redis::start_with_tls() else { return };
    error(RedisStore::connect(&redis.url().replace("rediss://", "redis://"))).await;
}

#[tokio::test]
async fn a_server_without_tls_is_an_error_and_no_panic() {
    let Some(redis) = Redis::start() else { return };
    error(RedisStore::connect(&redis.url().replace("redis://", "rediss://"))).await;
}
