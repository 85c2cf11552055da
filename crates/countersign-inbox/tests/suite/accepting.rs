//! Deliveries that come in.

use std::{collections::HashSet, time::Duration};

use countersign_inbox::sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqliteSynchronous};
use countersign_inbox::{AcceptError, Accepted, BuildError, Filter, Inbox, SqliteInbox, State};
use tokio::task::JoinSet;

use crate::desk::{Desk, NO_HEADERS, TestDatabase, another, delivery, in_both};

in_both! {
    a_delivery_is_kept_byte_by_byte_with_what_was_verified
    a_copy_is_a_duplicate_and_stores_nothing
    of_500_concurrent_copies_one_is_new
    many_deliveries_are_all_stored_once
    a_full_inbox_refuses_and_keeps_what_it_has
    a_full_inbox_still_knows_duplicates
    many_processes_may_create_the_tables_at_the_same_time
    tables_of_a_later_version_are_refused
    without_migration_tables_of_another_version_are_refused
}

async fn a_delivery_is_kept_byte_by_byte_with_what_was_verified<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk
        .build(|builder| {
            builder.keep_headers(["X-Request-Id"]).instance("north").order_by(|_| Some(b"a\0\xff".to_vec()))
        })
        .await;
    let body: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    let verified = delivery(body.clone());
    let headers: [(&str, &[u8]); 2] = [("X-Request-ID", b"r\xff1"), ("Authorization", b"secret")];
    assert_eq!(inbox.accept(&verified, &headers).await.unwrap(), Accepted::New);

    let entries = inbox.list(&Filter::all(), 0, 10).await.unwrap();
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(entry.sender, "moduslink");
    assert_eq!(entry.key_id, "key-1");
    assert_eq!(entry.identity, verified.identify().identity);
    assert_eq!(entry.received_by, "north");
    assert_eq!(entry.order_key.as_deref(), Some(&b"a\0\xff"[..]));
    assert_eq!((entry.state, entry.attempts), (State::Pending, 0));
    assert!(entry.received_at.elapsed().unwrap_or_default() < Duration::from_secs(60));

    let stored = inbox.show(entry.id).await.unwrap().unwrap();
    assert!(stored.body == body);
    assert_eq!(stored.unsigned_headers.iter().collect::<Vec<_>>(), [("x-request-id", &b"r\xff1"[..])]);
}

async fn a_copy_is_a_duplicate_and_stores_nothing<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.inbox().await;
    let verified = another();
    assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::New);
    assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::Duplicate);
    assert_eq!(inbox.list(&Filter::all(), 0, 10).await.unwrap().len(), 1);
}

async fn of_500_concurrent_copies_one_is_new<DB: TestDatabase>(desk: Desk<DB>) {
    // Two inboxes in one database, as two processes have them.
    let inboxes = [desk.inbox().await, desk.inbox().await];
    let verified = another();
    let mut tasks = JoinSet::new();
    for number in 0..500 {
        let (inbox, verified) = (inboxes[number % 2].clone(), verified.clone());
        tasks.spawn(async move { inbox.accept(&verified, &NO_HEADERS).await.unwrap() });
    }
    let new = tasks.join_all().await.into_iter().filter(|accepted| *accepted == Accepted::New).count();
    assert_eq!(new, 1);
}

async fn many_deliveries_are_all_stored_once<DB: TestDatabase>(desk: Desk<DB>) {
    let inboxes = [desk.inbox().await, desk.inbox().await];
    let mut tasks = JoinSet::new();
    let mut sent = HashSet::new();
    for number in 0..500 {
        let (inbox, verified) = (inboxes[number % 2].clone(), another());
        sent.insert(verified.identify().identity);
        tasks.spawn(
            async move { assert_eq!(inbox.accept(&verified, &NO_HEADERS).await.unwrap(), Accepted::New) },
        );
    }
    tasks.join_all().await;
    let stored = inboxes[0].list(&Filter::all(), 0, 1000).await.unwrap();
    assert_eq!(stored.len(), 500);
    assert_eq!(stored.into_iter().map(|entry| entry.identity).collect::<HashSet<_>>(), sent);
}

async fn a_full_inbox_refuses_and_keeps_what_it_has<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.backlog_limit(3)).await;
    for _ in 0..3 {
        inbox.accept(&another(), &NO_HEADERS).await.unwrap();
    }
    let refused = inbox.accept(&another(), &NO_HEADERS).await.unwrap_err();
    assert!(matches!(refused, AcceptError::Full { limit: 3 }), "{refused:?}");
    assert_eq!(inbox.stats().await.unwrap().pending, 3);
    inbox.discard(&Filter::all()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(inbox.accept(&another(), &NO_HEADERS).await.unwrap(), Accepted::New);
}

async fn a_full_inbox_still_knows_duplicates<DB: TestDatabase>(desk: Desk<DB>) {
    let inbox = desk.build(|builder| builder.backlog_limit(3)).await;
    let stored: Vec<_> = std::iter::repeat_with(another).take(3).collect();
    for verified in &stored {
        assert_eq!(inbox.accept(verified, &NO_HEADERS).await.unwrap(), Accepted::New);
    }
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let (inbox, is_copy) = (inbox.clone(), number % 2 == 0);
        let verified = if is_copy { stored[number % 3].clone() } else { another() };
        tasks.spawn(async move { (is_copy, inbox.accept(&verified, &NO_HEADERS).await) });
    }
    for (is_copy, accepted) in tasks.join_all().await {
        match accepted {
            Ok(accepted) => assert_eq!((is_copy, accepted), (true, Accepted::Duplicate)),
            Err(refused) => {
                assert!(
                    matches!((is_copy, &refused), (false, AcceptError::Full { limit: 3 })),
                    "{refused:?}"
                );
            }
        }
    }
    assert_eq!(inbox.list(&Filter::all(), 0, 10).await.unwrap().len(), 3);
}

async fn many_processes_may_create_the_tables_at_the_same_time<DB: TestDatabase>(desk: Desk<DB>) {
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let builder = Inbox::builder(desk.pool.clone());
        tasks.spawn(async move { builder.build().await.map(drop) });
    }
    for built in tasks.join_all().await {
        built.unwrap();
    }
}

async fn tables_of_a_later_version_are_refused<DB: TestDatabase>(desk: Desk<DB>) {
    desk.inbox().await;
    let mut connection = desk.pool.acquire().await.unwrap();
    DB::execute(&mut *connection, "INSERT INTO countersign_inbox_schema (version) VALUES (99)").await;
    let refused = Inbox::builder(desk.pool.clone()).build().await.unwrap_err();
    assert!(matches!(refused, BuildError::SchemaTooNew { present: 99, .. }), "{refused:?}");
}

async fn without_migration_tables_of_another_version_are_refused<DB: TestDatabase>(desk: Desk<DB>) {
    let build = || Inbox::builder(desk.pool.clone()).without_migration().build();
    desk.inbox().await;
    assert!(build().await.is_ok());
    let record = async |statement| DB::execute(&mut *desk.pool.acquire().await.unwrap(), statement).await;
    record("INSERT INTO countersign_inbox_schema (version) VALUES (99)").await;
    let refused = build().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the inbox's tables have version 99, and this program knows versions up to 1"
    );
    record("DELETE FROM countersign_inbox_schema").await;
    let refused = build().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the inbox's tables have version 0, and this program needs version 1: run the migrations in between"
    );
    record("DROP TABLE countersign_inbox_schema").await;
    assert!(matches!(build().await.unwrap_err(), BuildError::Store(_)));
}

#[tokio::test]
async fn a_sqlite_that_may_lose_commits_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("inbox.db")).create_if_missing(true);
    let lax = SqlitePool::connect_with(options.synchronous(SqliteSynchronous::Normal)).await.unwrap();
    let refused = SqliteInbox::builder(lax).build().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the database may lose what it has committed: its setting `synchronous` is NORMAL, and an inbox must not lose anything"
    );
    let memory = SqlitePool::connect(":memory:").await.unwrap();
    let refused = SqliteInbox::builder(memory).build().await.unwrap_err();
    assert!(matches!(refused, BuildError::NotDurable { setting: "journal_mode", .. }), "{refused:?}");
}

#[tokio::test]
async fn a_limit_of_zero_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = || SqliteInbox::open(folder.path().join("inbox.db"));
    let refused = open().await.unwrap().store_timeout(Duration::ZERO).build().await.unwrap_err();
    assert!(matches!(refused, BuildError::NoTimeForTheStore), "{refused:?}");
    let refused = open().await.unwrap().backlog_limit(0).build().await.unwrap_err();
    assert!(matches!(refused, BuildError::NoRoom), "{refused:?}");
    let refused = open().await.unwrap().instance("a\0b").build().await.unwrap_err();
    assert!(matches!(refused, BuildError::InstanceName), "{refused:?}");
    let refused = open().await.unwrap().keep_headers(["no header"]).build().await.unwrap_err();
    assert!(matches!(refused, BuildError::HeaderName(_)), "{refused:?}");
}
