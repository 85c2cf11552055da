//! Handles each webhook delivery once.
//!
//! Senders send again: after a timeout, after an error, and sometimes for no reason that anyone can see. A handler that ships
//! an order must not run twice for one delivery. [`Once`] decides for each attempt whether the handler runs, and a
//! [`Store`] remembers. This crate is the rule, for any framework and for none; it verifies nothing.
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use countersign_once::{Decision, Identity, MemoryStore, Once};
//!
//! # async fn ship_the_order() -> Result<(), std::fmt::Error> { Ok(()) }
//! // Once, at start-up.
//! let once = Once::builder(MemoryStore::default()).lease(Duration::from_secs(30)).build()?;
//!
//! // For each delivery, once its signature is verified. ModusLink retries for 25 minutes.
//! # let identity = Identity::from_bytes([0; 32]);
//! let status = match once.begin(identity, Some(Duration::from_secs(25 * 60))).await {
//!     Decision::Handle(running) => match ship_the_order().await {
//!         Ok(()) => {
//!             // The order is shipped, so the answer is a success whatever the store says now.
//!             if let Err(failure) = running.complete().await {
//!                 eprintln!("{failure}");
//!             }
//!             200
//!         }
//!         Err(_) => {
//!             // Dropping `running` does the same, in the background.
//!             if let Err(failure) = running.release().await {
//!                 eprintln!("{failure}");
//!             }
//!             500
//!         }
//!     },
//!     Decision::Duplicate => 200,
//!     Decision::InProgress { .. } | Decision::Unavailable(_) => 503,
//! };
//! # assert_eq!(status, 200);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "memory"))]
//! # fn main() {}
//! ```
//!
//! # What is promised
//!
//! - **At most once at a time.** While a handler runs, no other handler runs for the same delivery, unless it outlives its lease.
//! - **Once, while the store remembers.** A delivery whose handler was [completed](Running::complete) is not handled
//!   again until its keep time runs out.
//! - **Exactly one effect, in a shared transaction.** Where the handler's effects are in the store's own SQL database, effect
//!   and memory commit together (`SqlStore::complete_in`). No crash at any instant loses the one without the other.
//! - **Nothing is burned.** A handler that fails, panics or is cancelled gives the delivery back. A process that dies gives it
//!   back when the lease runs out.
//! - **Fail closed.** A store that gives no answer in time refuses the delivery, unless the set-up says to go on.
//!
//! # What is not
//!
//! - A handler that has its effect elsewhere (a mail, a call of another service) and dies before it completes is run again. Give
//!   the other service the identity as its idempotency key.
//! - A handler that outlives its lease may run at the same time as the next one. The store then fences it off: its completion is
//!   [`Lost`](Fence::Lost).
//! - A replay after the keep time is handled again. Only a signed timestamp prevents that.
//! - A store that loses its memory forgets: [`MemoryStore`] with its process or beyond its capacity, Redis in a failover.
//!
//! # Times
//!
//! | setting | unless set | choose it |
//! |---|---|---|
//! | [`lease`](OnceBuilder::lease) | 60 s | longer than the slowest handler, shorter than the sender's patience with refused retries |
//! | [`store_timeout`](OnceBuilder::store_timeout) | 2 s | well below the time after which the sender gives the request up |
//! | [`margin`](OnceBuilder::margin) | 1 h | longer than a sender's last retry may be late |
//! | [`keep_for`](OnceBuilder::keep_for) | the sender's retry time and the margin | longer, to refuse replays for longer |
//!
//! A lease is timed by the store's clock alone: Redis, the database, or this process's monotonic clock. Two receivers whose
//! clocks differ by an hour agree.
//!
//! # Failures
//!
//! | what fails | what happens |
//! |---|---|
//! | the handler fails, panics or is cancelled | released in the background; the next retry is handled |
//! | the process dies in the handler | retries are refused until the lease runs out, then handled |
//! | the process dies after the handler, before the completion | the same: the handler runs twice, unless it shares the store's transaction |
//! | the store is away or slow at [`begin`](Once::begin) | [`Decision::Unavailable`]; a claim that it may have granted is released in the background |
//! | the store is away or slow at the end | an error for the log; the background repeats it for as long as a lease |
//! | the store answers a claim after the time limit | refused, and the claim is released when the answer comes |
//! | the handler outlives its lease, and nobody came | the completion counts |
//! | the handler outlives its lease, and another attempt took over | the completion is [`Lost`](Fence::Lost) and changes nothing |
//! | the store forgets | the delivery is handled again |
//!
//! # Cancellation
//!
//! Every future of this crate may be dropped at any await, and [`Running`] at any time: when the client goes away, at a
//! timeout, in a panic. What is then still to be done goes on as a task of the tokio runtime:
//!
//! - A claim without an answer is waited for, for one more [`store_timeout`](OnceBuilder::store_timeout), and released. If
//!   that fails, its lease runs out.
//! - A `Running` is released, again and again for as long as a lease if the store fails.
//! - A completion that has begun is completed, in the same way. It never turns into a release.
//!
//! That task runs on the runtime that [`begin`](Once::begin) was called on. Without one, or once it has shut down, there is no
//! task: the lease runs out. A shutdown should therefore wait for its handlers before it drops the runtime. The time limit for
//! the store, too, needs a tokio runtime with its timers on.
//!
//! # Stores
//!
//! | store | for | remembers over a restart |
//! |---|---|---|
//! | [`MemoryStore`] | one process | no |
//! | `RedisStore` | many machines | if Redis does |
//! | `SqliteStore` | many processes of one machine | yes |
//! | `PostgresStore` | many machines | yes |
//!
//! Another one implements [`Store`] and proves it with `conformance::check` (feature `conformance`).
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `memory` | yes | [`MemoryStore`], on moka |
//! | `redis` | no | `RedisStore`; needs Redis 7.0 or Valkey |
//! | `redis-tls` | no | the same with `rediss://` addresses, through rustls and the system's certificates |
//! | `sqlite` | no | `SqliteStore`, on sqlx; needs a C compiler |
//! | `postgres` | no | `PostgresStore`, on sqlx; for TLS turn a `tls-` feature of sqlx on |
//! | `conformance` | no | `conformance::check`, for the tests of a store |
//! | `tracing` | no | a `DEBUG` event for each decision and each end, a `WARN` event for each failure and each lost claim |
//! | `metrics` | no | counts decisions and ended claims, and times the calls of the store: see the module `metrics` |

mod answers;
mod builder;
mod call;
mod claim;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decision;
mod error;
mod log;
mod measure;
#[cfg(feature = "memory")]
mod memory_store;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
mod millis;
mod once;
#[cfg(feature = "redis")]
mod redis_store;
mod running;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql_store;
mod store;

pub use answers::{Answer, Answers};
pub use builder::{DEFAULT_RETRIES_FOR, OnceBuilder, WhenUnavailable};
pub use claim::{Claim, Token};
pub use countersign::Identity;
pub use decision::{Decision, Outcome};
pub use error::{BuildError, StoreError};
#[cfg(feature = "memory")]
pub use memory_store::MemoryStore;
pub use once::Once;
#[cfg(feature = "redis")]
pub use redis_store::RedisStore;
pub use running::Running;
#[cfg(feature = "postgres")]
pub use sql_store::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sql_store::SqliteStore;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use sql_store::{Dialect, SqlStore, Sweeper};
pub use store::{ClaimAnswer, Fence, Store};

/// The crate that connects [`RedisStore`], in the version that it takes connections of.
#[cfg(feature = "redis")]
pub use ::redis;
/// The crate that connects [`SqlStore`], in the version that it takes pools of.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use ::sqlx;
