//! Starts the servers that tests talk to: on a port of 127.0.0.1 that no other test has, in a temporary folder, stopped when the value is dropped.
//!
//! Where a server is not installed, `start` prints `SKIPPED: …` and returns `None`, so that the test can return. With
//! `COUNTERSIGN_REQUIRE_SERVERS=1`, which the gate sets, it panics instead.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that goes wrong ends in a panic"
)]

mod chromium;
mod clock;
mod nats;
mod port;
mod postgres;
mod process;
mod redis;
mod redis_cluster;
mod tab;
mod tls;

use std::{env, path::PathBuf};

pub use chromium::Chromium;
pub use clock::Clock;
pub use nats::Nats;
pub use port::Port;
pub use postgres::Postgres;
pub use redis::Redis;
pub use redis_cluster::RedisCluster;
pub use tab::Tab;

/// The program of this name on the `PATH` or in one of `folders`. Where it is nowhere, the test is skipped or fails.
pub fn find(program: &str, folders: &[PathBuf], package: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain(folders.iter().cloned())
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        let message = format!("{program} is not installed: apt-get install {package}");
        assert!(env::var("COUNTERSIGN_REQUIRE_SERVERS").as_deref() != Ok("1"), "{message}");
        eprintln!("SKIPPED: {message}");
    }
    found
}
