//! `RedisStore` on a Redis Cluster of three nodes.

use std::time::Duration;

use countersign_once::{Decision, Fence, Identity, Once, Outcome, RedisStore, conformance};
use redis::{Client, cluster::ClusterClient, cluster_async::ClusterConnection};
use test_servers::{Redis, RedisCluster};
use tokio::time::{Instant, sleep};

fn client(cluster: &RedisCluster) -> ClusterClient {
    ClusterClient::new(cluster.nodes().iter().map(Redis::url)).unwrap()
}

async fn store(cluster: &RedisCluster) -> RedisStore<ClusterConnection> {
    let store = RedisStore::new(client(cluster).get_async_connection().await.unwrap());
    store.check().await.unwrap();
    store
}

async fn keys(node: &Redis) -> usize {
    let mut connection = Client::open(node.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap()
}

fn identity(number: u8) -> Identity {
    Identity::from_bytes([number; 32])
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_the_store_passes_the_kit_and_uses_every_node() {
    let Some(cluster) = RedisCluster::start() else { return };
    let store = store(&cluster).await;
    conformance::check(|| async { store.clone() }).await.unwrap();
    let once = Once::new(store).unwrap();
    for number in 0..60 {
        assert_eq!(once.begin(identity(number), None).await.outcome(), Outcome::New);
    }
    for node in cluster.nodes() {
        assert!(keys(node).await > 0, "{}", node.address());
    }
}

#[tokio::test]
async fn scripts_that_the_nodes_lost_are_loaded_again() {
    let Some(cluster) = RedisCluster::start() else { return };
    let once = Once::new(store(&cluster).await).unwrap();
    for number in 0..20 {
        let Decision::Handle(running) = once.begin(identity(number), None).await else { panic!("it is new") };
        let mut connection = client(&cluster).get_async_connection().await.unwrap();
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await.unwrap();
        assert_eq!(running.complete().await.unwrap(), Fence::Passed);
    }
}

/// The other nodes go on, and the node remembers.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_refuses_its_share_until_it_is_back() {
    let Some(mut cluster) = RedisCluster::start() else { return };
    let builder = Once::builder(store(&cluster).await).store_timeout(Duration::from_secs(1));
    let once = builder.build().unwrap();
    for number in 0..20 {
        let Decision::Handle(running) = once.begin(identity(number), None).await else { panic!("it is new") };
        assert_eq!(running.complete().await.unwrap(), Fence::Passed);
    }
    let outcomes = async || {
        let mut outcomes = Vec::new();
        for number in 0..20 {
            outcomes.push(once.begin(identity(number), None).await.outcome());
        }
        outcomes
    };
    cluster.node(0).kill();
    let answers = outcomes().await;
    assert!(answers.contains(&Outcome::Unavailable) && answers.contains(&Outcome::Duplicate), "{answers:?}");
    assert!(!answers.contains(&Outcome::New), "{answers:?}");
    cluster.node(0).restart();
    let began = Instant::now();
    while outcomes().await != [Outcome::Duplicate; 20] {
        assert!(began.elapsed() < Duration::from_secs(60), "the node does not come back");
        sleep(Duration::from_millis(200)).await;
    }
}
