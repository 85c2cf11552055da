//! What holds for every SQL store. `open` gives a server or file to keep, and a store.

macro_rules! sql_tests {
    ($open:ident, $pool:ty) => {
        use std::time::Duration;

        use countersign_once::{Claim, ClaimAnswer, Decision, Fence, Identity, Once, Outcome, Store, Token};
        use sqlx::Executor;
        use tokio::{task::JoinSet, time::sleep};

        const KEEP: Duration = Duration::from_secs(600);

        fn identity(number: u8) -> Identity {
            Identity::from_bytes([number; 32])
        }

        fn claim(number: u8, token: u8) -> Claim {
            Claim::new(identity(number), Token::from_bytes([token; 16]))
        }

        async fn create_effects(pool: &$pool) {
            pool.execute("CREATE TABLE effects (number INTEGER NOT NULL)").await.unwrap();
        }

        async fn effects(pool: &$pool) -> i64 {
            sqlx::query_scalar("SELECT COUNT(*) FROM effects").fetch_one(pool).await.unwrap()
        }

        async fn rows(pool: &$pool) -> i64 {
            sqlx::query_scalar("SELECT COUNT(*) FROM countersign_once").fetch_one(pool).await.unwrap()
        }

        #[tokio::test]
        async fn an_effect_and_its_completion_commit_together() {
            let Some((_server, store)) = $open().await else { return };
            create_effects(store.pool()).await;
            let once = Once::new(store.clone()).unwrap();
            let Decision::Handle(running) = once.begin(identity(1), None).await else { panic!("it is new") };
            let (claim, keep_for) = (running.claim().unwrap(), running.keep_for().unwrap());

            let mut transaction = store.pool().begin().await.unwrap();
            assert_eq!(
                store.complete_in(&mut transaction, &claim, keep_for).await.unwrap(),
                Fence::Passed
            );
            transaction.execute("INSERT INTO effects VALUES (1)").await.unwrap();
            transaction.commit().await.unwrap();

            // Done already, before anyone else says so.
            assert_eq!(once.begin(identity(1), None).await.outcome(), Outcome::Duplicate);
            assert_eq!(running.complete().await.unwrap(), Fence::Passed);
            assert_eq!(effects(store.pool()).await, 1);
        }

        #[tokio::test]
        async fn what_is_rolled_back_was_not_handled() {
            let Some((_server, store)) = $open().await else { return };
            create_effects(store.pool()).await;
            let claim = claim(1, 1);
            assert_eq!(store.claim(claim, KEEP).await.unwrap(), ClaimAnswer::Granted);
            let mut transaction = store.pool().begin().await.unwrap();
            assert_eq!(store.complete_in(&mut transaction, &claim, KEEP).await.unwrap(), Fence::Passed);
            transaction.execute("INSERT INTO effects VALUES (1)").await.unwrap();
            // As a handler that panics, or a process that dies.
            drop(transaction);
            let other = Claim::new(*claim.identity(), Token::from_bytes([2; 16]));
            assert!(matches!(store.claim(other, KEEP).await.unwrap(), ClaimAnswer::InProgress { .. }));
            assert_eq!(store.release(claim).await.unwrap(), Fence::Passed);
            assert_eq!(store.claim(other, KEEP).await.unwrap(), ClaimAnswer::Granted);
            assert_eq!(effects(store.pool()).await, 0);
        }

        #[tokio::test]
        async fn a_handler_that_was_taken_over_learns_it_in_its_transaction() {
            let Some((_server, store)) = $open().await else { return };
            let (stale, holder) = (claim(1, 1), claim(1, 2));
            assert_eq!(store.claim(stale, Duration::ZERO).await.unwrap(), ClaimAnswer::Granted);
            sleep(Duration::from_millis(20)).await;
            assert_eq!(store.claim(holder, KEEP).await.unwrap(), ClaimAnswer::Granted);
            let mut transaction = store.pool().begin().await.unwrap();
            assert_eq!(store.complete_in(&mut transaction, &stale, KEEP).await.unwrap(), Fence::Lost);
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn of_many_transactions_with_one_delivery_one_has_its_effect() {
            let Some((_server, store)) = $open().await else { return };
            create_effects(store.pool()).await;
            let mut handlers = JoinSet::new();
            for number in 0..24 {
                let store = store.clone();
                handlers.spawn(async move {
                    let mut transaction = store.pool().begin().await.unwrap();
                    let answer = store.claim_in(&mut transaction, &identity(1), KEEP).await.unwrap();
                    if answer != ClaimAnswer::Granted {
                        return answer;
                    }
                    transaction.execute("INSERT INTO effects VALUES (1)").await.unwrap();
                    sleep(Duration::from_millis(20)).await;
                    // The first to be granted are rolled back, and the next take over.
                    if number % 2 == 0 {
                        transaction.commit().await.unwrap();
                    } else {
                        transaction.rollback().await.unwrap();
                    }
                    answer
                });
            }
            let answers = handlers.join_all().await;
            assert_eq!(effects(store.pool()).await, 1, "{answers:?}");
            assert!(answers.iter().all(|answer| !matches!(answer, ClaimAnswer::InProgress { .. })));
            assert_eq!(store.claim(claim(1, 9), KEEP).await.unwrap(), ClaimAnswer::Done);
        }

        #[tokio::test]
        async fn a_transaction_finds_what_is_in_progress_elsewhere() {
            let Some((_server, store)) = $open().await else { return };
            assert_eq!(store.claim(claim(1, 1), KEEP).await.unwrap(), ClaimAnswer::Granted);
            let mut transaction = store.pool().begin().await.unwrap();
            let answer = store.claim_in(&mut transaction, &identity(1), KEEP).await.unwrap();
            assert!(matches!(answer, ClaimAnswer::InProgress { lease_left: Some(_) }), "{answer:?}");
        }

        #[tokio::test]
        async fn expired_rows_are_removed_in_bounded_steps() {
            let Some((_server, store)) = $open().await else { return };
            for number in 0..25 {
                let _ = store.complete(claim(number, 1), Duration::ZERO).await.unwrap();
            }
            for number in 100..103 {
                let _ = store.complete(claim(number, 1), KEEP).await.unwrap();
            }
            sleep(Duration::from_millis(20)).await;
            assert_eq!(store.sweep(10).await.unwrap(), 10);
            assert_eq!(store.sweep(10).await.unwrap(), 10);
            assert_eq!(store.sweep(10).await.unwrap(), 5);
            assert_eq!(store.sweep(10).await.unwrap(), 0);
            assert_eq!(rows(store.pool()).await, 3);
        }

        #[tokio::test]
        async fn a_sweeper_removes_expired_rows_until_it_is_dropped() {
            let Some((_server, store)) = $open().await else { return };
            let _ = store.complete(claim(1, 1), Duration::ZERO).await.unwrap();
            sleep(Duration::from_millis(20)).await;
            let sweeper = store.sweeper(Duration::from_secs(1));
            while rows(store.pool()).await > 0 {
                sleep(Duration::from_millis(10)).await;
            }
            drop(sweeper);
            let _ = store.complete(claim(1, 1), Duration::ZERO).await.unwrap();
            sleep(Duration::from_millis(1500)).await;
            assert_eq!(rows(store.pool()).await, 1);
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn any_number_of_processes_may_migrate_at_once() {
            let Some((_server, store)) = $open().await else { return };
            store.pool().execute("DROP TABLE countersign_once").await.unwrap();
            store.pool().execute("DROP TABLE countersign_once_schema").await.unwrap();
            let mut processes = JoinSet::new();
            for _ in 0..8 {
                let store = store.clone();
                processes.spawn(async move { store.migrate().await });
            }
            for migrated in processes.join_all().await {
                migrated.unwrap();
            }
            assert_eq!(rows(store.pool()).await, 0);
        }

        #[tokio::test]
        async fn a_schema_of_a_later_version_is_refused() {
            let Some((_server, store)) = $open().await else { return };
            store.pool().execute("INSERT INTO countersign_once_schema VALUES (2)").await.unwrap();
            assert_eq!(
                store.migrate().await.unwrap_err().to_string(),
                "the store failed: the table countersign_once has version 2, and this program knows versions up to 1"
            );
        }

        #[tokio::test]
        async fn without_its_table_the_store_refuses() {
            let Some((_server, store)) = $open().await else { return };
            store.pool().execute("DROP TABLE countersign_once").await.unwrap();
            let once = Once::new(store).unwrap();
            assert_eq!(once.begin(identity(1), None).await.outcome(), Outcome::Unavailable);
        }
    };
}

pub(crate) use sql_tests;
