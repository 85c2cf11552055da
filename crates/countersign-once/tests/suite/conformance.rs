//! Every store passes the kit, and the kit catches every flaw.

use std::collections::BTreeMap;

use countersign_once::{
    MemoryStore, PostgresStore, RedisStore, SqliteStore,
    conformance::{self, Rule},
};
use sqlx::{
    PgPool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};
use test_servers::{Postgres, Redis};

use crate::flawed_store::{Flaw, FlawedStore};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_a_flaw_passes() {
    conformance::check(|| async { FlawedStore::new(Flaw::None) }).await.unwrap();
}

#[tokio::test]
async fn a_store_without_a_flaw_passes_on_one_thread() {
    conformance::check(|| async { FlawedStore::new(Flaw::None) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_flaw_breaks_its_rule() {
    let mut caught = BTreeMap::new();
    let checks = Flaw::ALL.map(|(flaw, rule)| {
        tokio::spawn(async move {
            let mut verdict = Ok(());
            // On a loaded machine the kit may look too late for a flaw of time, which lasts for a moment.
            for _ in 0..10 {
                verdict = conformance::check(|| async { FlawedStore::new(flaw) }).await;
                if verdict.is_err() {
                    break;
                }
            }
            let violations = verdict.expect_err(&format!("{flaw:?} breaks no rule"));
            assert!(
                violations.iter().any(|violation| violation.rule() == rule),
                "{flaw:?} does not break {rule:?}: {violations}"
            );
            rule
        })
    });
    for check in checks {
        *caught.entry(format!("{:?}", check.await.unwrap())).or_insert(0) += 1;
    }
    for rule in Rule::ALL {
        assert!(caught.contains_key(&format!("{rule:?}")), "no flaw proves that the kit checks {rule:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_says_what_was_done_and_what_came_of_it() {
    let violations =
        conformance::check(|| async { FlawedStore::new(Flaw::ForgetsOnRelease) }).await.unwrap_err();
    assert_eq!(
        format!("{violations:?}"),
        "the store breaks 1 of 20 rules:\n\
         - DoneIsNotReleased: A release, an extension or a claim of its own token leaves a done identity done. But the \
         first attempt releases, and the answer is Passed instead of Lost"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_store_passes() {
    conformance::check(|| async { MemoryStore::default() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redis_store_passes() {
    let Some(redis) = Redis::start() else { return };
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    conformance::check(|| async { store.clone() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_store_passes() {
    let Some(postgres) = Postgres::start() else { return };
    let store = PostgresStore::new(PgPool::connect(&postgres.url()).await.unwrap());
    store.migrate().await.unwrap();
    conformance::check(|| async { store.clone() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_passes() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("once.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let store = SqliteStore::new(SqlitePool::connect_with(options).await.unwrap());
    store.migrate().await.unwrap();
    conformance::check(|| async { store.clone() }).await.unwrap();
}
