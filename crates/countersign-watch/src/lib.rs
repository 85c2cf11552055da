//! Follows the files that keys and configuration come from, and replaces verifiers while they run.
//!
//! ```no_run
//! # fn example() -> Result<(), countersign::BuildError> {
//! use countersign::{Verifier, senders};
//! use countersign_watch::Watch;
//!
//! // Loads at once, and again whenever a file that it read has changed.
//! let (verifier, watching) = Watch::new().start(|files| {
//!     Verifier::builder(senders::moduslink())
//!         .secret("current", files.secret("/run/secrets/moduslink")?)
//!         .secret("previous", files.secret("/run/secrets/moduslink-previous")?)
//!         .build()
//! })?;
//! // A guard takes it in place of a verifier: `VerifyWebhookLayer::new(verifier)`.
//! # let _ = (verifier, watching);
//! # Ok(())
//! # }
//! ```
//!
//! Whatever a service makes of files can be followed, such as a map from path to verifier: [`Watch::start`] takes any type.
//!
//! # What is promised
//!
//! - **Only what loads is used.** If the loader fails, because a file is missing, half-written or wrong, the value stays as it was. The
//!   log says so once at `ERROR`, and [`Watching::status`] until it loads again.
//! - **A change is seen** within a fraction of a second where the operating system tells of it, and within
//!   [`poll_every`](Watch::poll_every) where it does not: on network file systems, for example.
//! - **A file that is being written is given time**: changes are loaded once they have not changed for a tenth of a second. A file that
//!   changes all the time is loaded every two seconds.
//! - **Kubernetes' secrets work**: their files are symbolic links through a directory that is replaced as a whole.
//! - **Keys are watched**: if the value is a [`Verifier`](countersign::Verifier), the watcher
//!   [reports its keys](countersign::Verifier::report_keys) at each look, and over a reload their [use](countersign::Verifier::key_use)
//!   goes on.
//! - **Nothing waits**: requests never wait for a reload. One that has begun ends with the keys that it began with.
//!
//! # What is not
//!
//! - Several files are read one after the other. Put what must change together into one file, or rename a directory as Kubernetes does.
//! - A secret that is cut off is still a secret: replace a file by a rename, which is atomic, instead of writing into it.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `tracing` | yes | an `INFO` event for each reload, an `ERROR` event for each failure, a `WARN` event for a secret that every user may read and for a key that expires soon |

mod files;
mod fingerprint;
mod log;
mod watch;

pub use files::Files;
pub use watch::{Status, Watch, Watching};
