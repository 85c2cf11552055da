use countersign_once::PostgresStore;
use sqlx::{PgPool, postgres::PgPoolOptions};
use test_servers::Postgres;

use crate::sql::sql_tests;

async fn open() -> Option<(Postgres, PostgresStore)> {
    let server = Postgres::start()?;
    let pool =
        PgPoolOptions::new().acquire_timeout(Duration::from_secs(20)).connect(&server.url()).await.unwrap();
    let store = PostgresStore::new(pool);
    store.migrate().await.unwrap();
    Some((server, store))
}

sql_tests!(open, PgPool);

#[tokio::test]
async fn a_server_that_stops_refuses_in_time_and_remembers_once_it_is_back() {
    let Some((mut server, store)) = open().await else { return };
    let once = Once::builder(store).store_timeout(Duration::from_secs(2)).build().unwrap();
    let Decision::Handle(first) = once.begin(identity(1), None).await else { panic!("it is new") };
    assert_eq!(first.complete().await.unwrap(), Fence::Passed);
    let Decision::Handle(second) = once.begin(identity(2), None).await else { panic!("it is new") };

    server.stop();
    let began = tokio::time::Instant::now();
    assert_eq!(once.begin(identity(3), None).await.outcome(), Outcome::Unavailable);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(second.complete().await.is_err());

    server.restart();
    // The background completes what the server missed.
    for number in [1, 2] {
        eventually(&once, number, Outcome::Duplicate).await;
    }
    eventually(&once, 3, Outcome::New).await;
}

#[tokio::test]
async fn a_claim_waits_for_a_transaction_that_holds_the_delivery_and_no_longer_than_the_limit() {
    let Some((_server, store)) = open().await else { return };
    let once = Once::builder(store.clone()).store_timeout(Duration::from_secs(1)).build().unwrap();
    let mut transaction = store.pool().begin().await.unwrap();
    assert_eq!(store.claim_in(&mut transaction, &identity(1), KEEP).await.unwrap(), ClaimAnswer::Granted);
    assert_eq!(once.begin(identity(1), None).await.outcome(), Outcome::Unavailable);
    transaction.commit().await.unwrap();
    eventually(&once, 1, Outcome::Duplicate).await;
}

/// Asks again and again, for less than a lease.
async fn eventually(once: &Once, number: u8, wanted: Outcome) {
    let began = tokio::time::Instant::now();
    loop {
        let outcome = once.begin(identity(number), None).await.outcome();
        if outcome == wanted {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{number} is {outcome:?}, not {wanted:?}");
        sleep(Duration::from_millis(50)).await;
    }
}
