//! The databases that receivers and workers share.

use std::{future::Future, path::Path, time::Duration};

use countersign_inbox::{Dialect, Inbox, InboxBuilder, SqliteInbox, sqlx};
use sqlx::{Error, Pool, Postgres, Sqlite, postgres::PgPoolOptions};
use tokio::time::sleep;

use crate::senders::Content;

/// A database with a table `effects`.
pub(crate) trait Database: Dialect {
    const EFFECTS: &'static str;

    /// `None`: it cannot be reached at the moment.
    fn builder(address: &str) -> impl Future<Output = Option<InboxBuilder<Self>>> + Send;
    fn execute(pool: &Pool<Self>, statement: &'static str) -> impl Future<Output = ()> + Send;
    fn add_effect(
        connection: &mut Self::Connection,
        delivery: i64,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// The deliveries that have an effect, and the process that caused it, in the order of their effects.
    fn effects(pool: &Pool<Self>) -> impl Future<Output = Vec<(i64, i64)>> + Send;
}

/// So many unfinished deliveries fill the inbox: few enough that the workers catch up soon once nothing new comes.
const BACKLOG: u32 = 5000;

/// The inbox, as soon as the database can be reached. Deliveries have the order key that their content names.
pub(crate) async fn open<DB: Database>(address: &str) -> Inbox<DB> {
    loop {
        if let Some(builder) = DB::builder(address).await {
            let ordered = builder.order_by(|delivery| Content::of(delivery.body()).ok()?.order);
            let limited = ordered.backlog_limit(BACKLOG).store_timeout(Duration::from_secs(2));
            if let Ok(inbox) = limited.build().await {
                return inbox;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

macro_rules! statements {
    () => {
        async fn execute(pool: &Pool<Self>, statement: &'static str) {
            sqlx::query(statement).execute(pool).await.unwrap();
        }

        async fn add_effect(connection: &mut Self::Connection, delivery: i64) -> Result<(), Error> {
            let effect = sqlx::query("INSERT INTO effects (delivery, process) VALUES ($1, $2)");
            let effect = effect.bind(delivery).bind(i64::from(std::process::id()));
            effect.execute(connection).await.map(drop)
        }

        async fn effects(pool: &Pool<Self>) -> Vec<(i64, i64)> {
            let effects = sqlx::query_as("SELECT delivery, process FROM effects ORDER BY number");
            effects.fetch_all(pool).await.unwrap()
        }
    };
}

impl Database for Sqlite {
    const EFFECTS: &'static str = "CREATE TABLE effects (number INTEGER PRIMARY KEY, delivery BIGINT NOT NULL, process BIGINT NOT NULL)";

    async fn builder(file: &str) -> Option<InboxBuilder<Self>> {
        SqliteInbox::open(Path::new(file)).await.ok()
    }

    statements!();
}

impl Database for Postgres {
    const EFFECTS: &'static str = "CREATE TABLE effects (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, delivery BIGINT NOT NULL, process BIGINT NOT NULL)";

    async fn builder(url: &str) -> Option<InboxBuilder<Self>> {
        let options = PgPoolOptions::new().max_connections(20).acquire_timeout(Duration::from_secs(10));
        Some(Inbox::builder(options.connect(url).await.ok()?))
    }

    statements!();
}
