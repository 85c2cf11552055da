//! An inbox for webhook deliveries: store durably, answer at once, work later.
//!
//! eWarehousing waits 10 seconds for an answer, Fluent 14, and work takes longer. An [`Inbox`] stores a verified delivery under
//! its identity, commits it to disk, and lets you answer; a worker handles it afterwards, in this process or on another
//! machine, and tries again until it succeeds or a person must look.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # async fn example(delivery: countersign::VerifiedDelivery, headers: Vec<(String, Vec<u8>)>) -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_inbox::{Accepted, Delivery, SqliteInbox};
//!
//! // Once, at start-up.
//! let inbox = SqliteInbox::open("inbox.db").await?.build().await?;
//!
//! // For each verified delivery.
//! let status = match inbox.accept(&delivery, &headers).await {
//!     Ok(Accepted::New | Accepted::Duplicate) => 200,
//!     Err(_) => 503, // with `Retry-After`: the sender comes again
//! };
//!
//! // As a task, here or in another process.
//! let worker = inbox.work(|delivery: Delivery<_>| async move {
//!     let order = String::from_utf8_lossy(delivery.body()).into_owned();
//!     let mut transaction = delivery.begin().await?;
//!     sqlx::query("INSERT INTO orders (json) VALUES ($1)").bind(order).execute(&mut **transaction).await?;
//!     transaction.commit().await?;
//!     Ok(())
//! });
//! # let shutdown = async {};
//! worker.run_until(shutdown).await?;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    expect(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "without a database, nothing implements `Dialect`"
    )
)]

mod backoff;
mod builder;
mod claim;
mod delivery;
mod entry;
mod error;
mod failure;
mod group;
mod inbox;
#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    expect(unused_variables, reason = "each feature takes a part of what is told")
)]
mod log;
mod mending;
mod millis;
#[cfg(feature = "postgres")]
mod postgres_inbox;
#[cfg(feature = "sqlite")]
mod sqlite_inbox;
mod store;
mod tokens;
mod unsigned_headers;
mod work;
mod worker;

pub use backoff::Backoff;
pub use builder::InboxBuilder;
pub use delivery::{Delivery, DeliveryTransaction};
pub use entry::{Entry, Filter, State, Stats, Stored, UnknownState};
pub use error::{AcceptError, BuildError, CommitError, StoreError};
pub use failure::Failure;
pub use inbox::{Accepted, Inbox};
#[cfg(feature = "postgres")]
pub use postgres_inbox::PostgresInbox;
#[cfg(feature = "sqlite")]
pub use sqlite_inbox::SqliteInbox;
pub use store::Dialect;
pub use unsigned_headers::UnsignedHeaders;
pub use work::Work;

/// The crate that connects the inbox, in the version that it takes pools of.
pub use ::sqlx;
