//! An inbox for webhook deliveries: store durably, answer at once, work later.
//!
//! eWarehousing waits 10 seconds for an answer, Fluent 14, and work takes longer. An [`Inbox`] stores a verified delivery under its
//! identity and commits it to disk, so that you can answer. A worker handles it afterwards, in this process or in another one, and
//! tries again until it succeeds or a person must look. This crate names no web framework and verifies nothing: the handlers
//! `accept_into(inbox)` of `countersign-tower` and `countersign-actix` (feature `inbox`) do the first half of this example.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # async fn example(delivery: countersign::VerifiedDelivery, headers: Vec<(String, Vec<u8>)>) -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_inbox::{Accepted, Delivery, SqliteInbox};
//!
//! // Once, at start-up.
//! let inbox = SqliteInbox::open("inbox.db").await?.build().await?;
//!
//! // For each delivery, once its signature is verified.
//! let status = match inbox.accept(&delivery, &headers).await {
//!     Ok(Accepted::New | Accepted::Duplicate) => 200,
//!     Err(_) => 503, // with `Retry-After`, so that the sender comes again
//! };
//!
//! // As a task, here or in another process.
//! let worker = inbox.work(async |delivery: Delivery<_>| {
//!     let order = String::from_utf8_lossy(delivery.body()).into_owned();
//!     let mut transaction = delivery.begin().await?;
//!     sqlx::query("INSERT INTO orders (json) VALUES ($1)").bind(order).execute(&mut **transaction).await?;
//!     transaction.commit().await?; // the order and the delivery's completion, together
//!     Ok(())
//! });
//! # let shutdown = async {};
//! worker.run_until(shutdown).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - **What was answered is there.** [`accept`](Inbox::accept) returns after the commit was flushed to disk. A database that may lose
//!   commits is refused at start-up.
//! - **Once.** Copies and retries of a delivery are one entry, for as long as its sender may retry and for
//!   [`keep_for`](InboxBuilder::keep_for) after it was handled.
//! - **Nothing is forgotten.** A delivery that was accepted is pending, running, waiting, done, dead or discarded, whatever dies and
//!   whenever. It ends as done, or as a dead letter that stays until a person decides.
//! - **One worker at a time.** A worker that is taken for dead while it still runs loses the delivery to the next one: its end and its
//!   [transaction](Delivery::begin) no longer count.
//! - **Exactly one effect, in a shared transaction.** What the handler writes in [`Delivery::begin`]'s transaction commits together
//!   with the delivery's completion.
//! - **A poison delivery stops nothing else.** An attempt counts as soon as it begins, so even one that kills its process each time
//!   ends as a dead letter. Deliveries that ran beside it in that process lose one attempt: after that, each worker takes those whose
//!   last attempt vanished one at a time.
//!
//! # What is not
//!
//! - An effect elsewhere (a mail, a call of another service) happens again if the worker dies between the effect and the end of its
//!   handler. Give the other service the [identity](Delivery::identity) as its idempotency key.
//! - Order, unless [`order_by`](InboxBuilder::order_by) gives deliveries a key. Those of one key are handled in the order in which they
//!   were stored, which is not always the order in which things happened at the sender.
//! - A disk that dies takes an SQLite inbox with it, and a failover to an asynchronous replica loses the last commits. Use
//!   PostgreSQL with a synchronous replica where that matters.
//!
//! # States
//!
//! | state | what happens next |
//! |---|---|
//! | [`Pending`](State::Pending) | a worker takes it, at once or after the pause between attempts |
//! | [`Running`](State::Running) | its handler ends, or the worker dies and the lease runs out: pending again |
//! | [`Waiting`](State::Waiting) | an earlier delivery of its order key is finished: pending |
//! | [`Done`](State::Done) | it is removed after its time; until then [`replay`](Inbox::replay) can handle it again |
//! | [`Dead`](State::Dead) | a person calls [`retry`](Inbox::retry) or [`discard`](Inbox::discard) |
//! | [`Discarded`](State::Discarded) | as done |
//!
//! # Settings
//!
//! | setting | unless set | choose it |
//! |---|---|---|
//! | [`store_timeout`](InboxBuilder::store_timeout) | 5 s | well below the time that the sender waits for an answer |
//! | [`backlog_limit`](InboxBuilder::backlog_limit) | 1,000,000 | by the disk: deliveries times their size |
//! | [`keep_for`](InboxBuilder::keep_for) | 7 days | as long as you may want to replay what was handled |
//! | [`concurrency`](Work::concurrency) | 16 | as many handlers as the services behind them bear |
//! | [`attempt_timeout`](Work::attempt_timeout) | 5 min | longer than the slowest handler |
//! | [`lease`](Work::lease) | 60 s | longer than a worker may freeze; a dead worker's deliveries wait that long |
//! | [`max_attempts`](Work::max_attempts) | 20 | with the [backoff](Work::backoff), longer than an outage that you want to ride out |
//! | [`grace`](Work::grace) | 20 s | shorter than the time after which a shutdown turns into a kill |
//!
//! # Failures
//!
//! | what fails | what happens |
//! |---|---|
//! | the database is away or slow at [`accept`](Inbox::accept) | [`AcceptError::Store`]: answer 503; nothing is half-stored |
//! | the answer to the commit is lost | the same; the delivery may be stored, and the retry is then a duplicate |
//! | the disk is full | the same |
//! | too much is unfinished | [`AcceptError::Full`]: answer 503; a copy of what is stored is still a duplicate |
//! | the process dies after the commit, before the answer | the retry is a duplicate |
//! | a handler fails, panics, or takes too long | tried again after a pause; after the last attempt it is a dead letter |
//! | a worker dies | its deliveries are pending again when their leases run out |
//! | a worker freezes for longer than its lease, then goes on | it is fenced off: its ends and transactions are refused |
//! | the database is away while workers run | they try again; handlers whose leases ran out may be run twice, their transactions are fenced |
//! | a machine's clock jumps (SQLite) | forward, leases run out early and are fenced; backward, pauses last longer |
//!
//! # Many processes
//!
//! Any number of processes may accept and work at the same time: with SQLite on one machine, with PostgreSQL on many. Workers take
//! different deliveries (`FOR UPDATE SKIP LOCKED` in PostgreSQL). All times are the database's. What this process stores is handled at
//! once; what others store is found by [polling](Work::poll_every).
//!
//! # Speed
//!
//! Deliveries that arrive while a commit is under way share the next one, so that many cost little more than one. None waits for
//! others to come. SQLite lets one transaction write at a time: a handler's long transaction holds up everybody, `accept` included.
//!
//! # Cancellation
//!
//! The future of [`accept`](Inbox::accept) may be dropped at any time; the delivery is then stored or not. The future of
//! [`run_until`](Work::run_until) drops its handlers, whose deliveries are taken by others when their leases run out; let it end by its
//! shutdown instead. The inbox stores on the tokio runtime on which it was built: once that has shut down, nothing is accepted.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `sqlite` | yes | `SqliteInbox`, on sqlx; needs a C compiler |
//! | `postgres` | no | `PostgresInbox`, on sqlx; for TLS turn a `tls-` feature of sqlx on |
//! | `tracing` | no | `DEBUG` events for what goes well, `WARN` for attempts that failed and for a failing database, `ERROR` for each dead letter |
//! | `metrics` | no | the metrics below, through the `metrics` facade |
//!
//! # Metrics
//!
//! Labels are the sender's scheme and words from this table: nothing that a caller chooses.
//!
//! | name | kind | labels | what it tells |
//! |---|---|---|---|
//! | `countersign_inbox_deliveries_total` | counter | `sender`; `result`: `new`, `duplicate`, `full`, `unavailable` | what [`accept`](Inbox::accept) answered |
//! | `countersign_inbox_attempts_total` | counter | `sender`; `result`: `done`, `retry`, `dead`, `handed_back`, `lost` | how attempts ended |
//! | `countersign_inbox_vanished_total` | counter | | dead letters whose last attempt never ended |
//! | `countersign_inbox_done_seconds` | histogram | `sender` | from receipt to done |
//! | `countersign_inbox_attempts` | histogram | `sender` | attempts that a delivery took to be done |
//! | `countersign_inbox_entries` | gauge | `state`: `pending`, `running`, `waiting`, `dead`, `finished` | how many entries are in a state; set by workers every 15 s |
//! | `countersign_inbox_oldest_seconds` | gauge | | age of the oldest entry that is not finished; set by workers every 15 s |
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    expect(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "without a database, nothing implements `Dialect`"
    )
)]

mod accepted;
mod answers;
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
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite_inbox;
mod store;
mod tokens;
mod unsigned_headers;
mod work;
mod work_settings;
mod worker;

pub use accepted::Accepted;
pub use answers::{Answer, Answers};
pub use backoff::Backoff;
pub use builder::InboxBuilder;
pub use delivery::{Delivery, DeliveryTransaction};
pub use entry::{Entry, Filter, State, Stats, Stored, UnknownState};
pub use error::{AcceptError, BuildError, CommitError, StoreError};
pub use failure::Failure;
pub use inbox::Inbox;
#[cfg(feature = "postgres")]
pub use postgres_inbox::PostgresInbox;
#[cfg(feature = "sqlite")]
pub use sqlite_inbox::SqliteInbox;
pub use store::Dialect;
pub use unsigned_headers::UnsignedHeaders;
pub use work::Work;

/// The crate that connects the inbox, in the version that it takes pools of.
pub use ::sqlx;
