//! Handles each webhook delivery once.
//!
//! Senders repeat deliveries: after a timeout, after an error, and sometimes for no visible reason. A handler that ships an
//! order must not run twice for one delivery. For each attempt, [`Once`] decides whether the handler runs, and a [`Store`]
//! remembers what was handled.
//!
//! In axum, use `HandleOnceLayer` of `countersign-tower`; in actix-web, `HandleOnce` of `countersign-actix`. This crate is the
//! rule behind both, for any other framework and for none. It verifies nothing.
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
//! // At start-up.
//! let once = Once::builder(MemoryStore::default()).lease(Duration::from_secs(30)).build()?;
//!
//! // For each delivery, after its signature is verified. ModusLink retries for 25 minutes.
//! # let identity = Identity::from_bytes([0; 32]);
//! let status = match once.begin(identity, Some(Duration::from_secs(25 * 60))).await {
//!     Decision::Handle(running) => match ship_the_order().await {
//!         Ok(()) => {
//!             // The order is shipped, so answer with success whatever the store says.
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
//! - **At most one at a time.** While a handler runs within its lease, no other handler runs for the same delivery.
//! - **Once, while the store remembers.** A delivery whose handler was [completed](Running::complete) is not handled
//!   again until its keep time runs out.
//! - **Exactly one effect, in a shared transaction.** If the handler's effects are in the store's own SQL database, effect and
//!   memory commit together (`SqlStore::complete_in`). A crash at any instant keeps both or neither.
//! - **No delivery is used up by a failure.** A handler that fails, panics or is cancelled gives the delivery back. After a
//!   process dies, the delivery is free again when the lease runs out.
//! - **Fail closed.** If the store does not answer in time, the delivery is refused, unless you set
//!   [`WhenUnavailable::GoOn`].
//!
//! # What is not
//!
//! - A handler may have its effect elsewhere (a mail, a call to another service). If it dies after the effect and before the
//!   completion, it runs again. Pass the identity to the other service as its idempotency key.
//! - A handler that outlives its lease may run at the same time as the next one. The store then fences it off: its completion is
//!   [`Lost`](Fence::Lost).
//! - A replay after the keep time is handled again. Only a signed timestamp prevents that.
//! - A store that loses its memory forgets: [`MemoryStore`] with its process or beyond its capacity, Redis in a failover.
//!
//! # Times
//!
//! | setting | default | choose it |
//! |---|---|---|
//! | [`lease`](OnceBuilder::lease) | 60 s | longer than the slowest handler, shorter than the sender's patience with refused retries |
//! | [`store_timeout`](OnceBuilder::store_timeout) | 2 s | well below the time after which the sender gives up on the request |
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
//! | the process dies after the handler, before the completion | the same, so the handler runs twice, unless it shares the store's transaction |
//! | the store is away or slow at [`begin`](Once::begin) | [`Decision::Unavailable`]; a claim that it may have granted is released in the background |
//! | the store is away or slow at [`complete`](Running::complete) or [`release`](Running::release) | an error for the log; a background task repeats the call for as long as a lease |
//! | the store answers a claim after the time limit | the delivery was refused, and the claim is released when the answer comes |
//! | the handler outlives its lease, and no other attempt came | the completion counts |
//! | the handler outlives its lease, and another attempt took over | the completion is [`Lost`](Fence::Lost) and changes nothing |
//! | the store forgets | the delivery is handled again |
//!
//! # Cancellation
//!
//! You may drop every future of this crate at any await, and a [`Running`] at any time: when the client goes away, at a timeout,
//! in a panic. A background task of the Tokio runtime then finishes what is left to do:
//!
//! - If the store has not answered a claim, the task waits for one more [`store_timeout`](OnceBuilder::store_timeout) and
//!   releases the claim. It tries this once; if it fails, the lease runs out.
//! - A dropped `Running` is released. If the store fails, the task tries again for as long as a lease.
//! - A completion that has begun goes on, with the same repetitions. It never turns into a release.
//!
//! The task runs on the Tokio runtime that polled [`begin`](Once::begin). Without a runtime, or after its shutdown, there is no
//! task and the lease runs out. So wait for your handlers before you shut the runtime down. The time limit for the store also
//! needs a Tokio runtime, with its timers enabled.
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
//! A store of your own implements [`Store`]; `conformance::check` (feature `conformance`) tests it.
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
mod end;
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
mod outcome;
#[cfg(feature = "redis")]
mod redis_store;
mod running;
mod settings;
mod shared;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql_store;
mod store;

pub use answers::{Answer, Answers};
pub use builder::OnceBuilder;
pub use claim::{Claim, Token};
pub use countersign::Identity;
pub use decision::Decision;
pub use error::{BuildError, StoreError};
#[cfg(feature = "memory")]
pub use memory_store::MemoryStore;
pub use once::Once;
pub use outcome::Outcome;
#[cfg(feature = "redis")]
pub use redis_store::RedisStore;
pub use running::Running;
pub use settings::{DEFAULT_RETRIES_FOR, WhenUnavailable};
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
