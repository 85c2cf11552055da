//! An actix-web middleware that verifies the signature of a webhook delivery before any handler runs.
//!
//! ```
//! use std::time::Duration;
//!
//! use actix_web::{App, web};
//! use countersign::{Secret, Verifier, senders};
//! use countersign_actix::{Verified, VerifyWebhook};
//!
//! async fn order_status(verified: Verified) -> String {
//!     format!("{} bytes, signed with {}", verified.body().len(), verified.key())
//! }
//!
//! let verifier = Verifier::builder(senders::moduslink()).secret("2026-q4", Secret::new("a secret")).build()?;
//! let guard = VerifyWebhook::new(verifier).body_timeout(Duration::from_secs(30));
//! let app = App::new().service(
//!     web::resource("/webhooks/moduslink").wrap(guard).route(web::post().to(order_status)),
//! );
//! # let _ = app;
//! # Ok::<(), countersign::BuildError>(())
//! ```
//!
//! # Which requests pass
//!
//! Those that the [`Verifier`](countersign::Verifier) verifies, whatever their method: see
//! [its crate](countersign#which-deliveries-pass) for the checks and their order. What is wrapped then gets
//!
//! - the request with its payload as it was on the wire: the same bytes, uncopied where they came in one chunk, in one
//!   buffer otherwise; every extractor of actix-web works as if the guard were not there, those that decompress among them;
//! - a [`VerifiedDelivery`](countersign::VerifiedDelivery) in its extensions: the proof and the same bytes. The extractor
//!   [`Verified`] takes it.
//!
//! # What the others get
//!
//! | status | when |
//! |---|---|
//! | 401 | the signature is missing, malformed, wrong, too old, or made with a key that is not active |
//! | 413 | the body, or the `Content-Length` that announces it, is over the verifier's body limit |
//! | 400 | the body broke off, or `Content-Length` is not a number |
//! | 408 | the body took longer than [`VerifyWebhook::body_timeout`] |
//! | 503 | the bodies that are being received leave too little of [`VerifyWebhook::body_budget`] |
//!
//! Every 401 is the same, and no refusal has a body. A request that its headers reject is answered before its body is read, and
//! on HTTP/1 the answer says `Connection: close`. What the sender is still sending is then discarded within the bounds of
//! [`VerifyWebhook::linger`], so that a sender which writes its whole body first sees the answer and not a reset connection. A
//! rejection is a response, not an error, so that middleware outside of the guard (CORS, say) still runs. The reason is for the
//! operator: a [`Rejection`](countersign::Rejection) in the response's extensions, a log event (feature `tracing`) and
//! [`VerifyWebhook::on_reject`].
//!
//! # Deployment caveats
//!
//! - `Expect: 100-continue`: actix-web answers `100 Continue` itself, before any middleware runs, so a client is told to
//!   send the body even of a request that its headers reject. The guard discards it.
//! - The head of a rejection goes out at once, while the response as a whole ends when the sender's body does, or at the bound:
//!   so do the times in an access log, and the end of the stream on HTTP/2. `Compress` outside the guard sees a body of unknown
//!   length and makes an empty compressed one of it.
//! - At a bound, actix-web reads on by itself for `HttpServer::client_disconnect_timeout`: see [`VerifyWebhook::linger`].
//! - The guard reads the body within the verifier's own limit, and [`Verified`] has no other. actix's own limits still apply
//!   to its extractors: `PayloadConfig` (256 KiB for `Bytes` and `String`), `JsonConfig` (2 MiB), `FormConfig` (16 KiB). For
//!   more, raise the one that your extractor uses.
//! - Middleware that replaces the payload must be inside the guard. In actix-web, what is wrapped last runs first.
//! - Without [`VerifyWebhook::body_timeout`], anyone who sends a made-up signature of the right length can keep a request
//!   open, and with it up to the body limit of memory.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `tracing` | yes | a `WARN` event for each rejection, a `DEBUG` event for each verified delivery |

mod body;
mod extract;
mod future;
mod guard;
mod headers;
mod middleware;
mod transform;
mod unread;

pub use extract::{MiddlewareMissing, Verified};
#[doc(hidden)]
pub use future::ResponseFuture;
#[doc(hidden)]
pub use middleware::VerifyWebhookMiddleware;
pub use transform::VerifyWebhook;
