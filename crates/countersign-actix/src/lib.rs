//! An actix-web middleware that verifies the signature of a webhook delivery before any handler runs.
//!
//! A request passes, whatever its method, if all of the following hold, checked in this order:
//!
//! 1. The [`Verifier`](countersign::Verifier) accepts its head: one sender's signature header, once and well-formed; a timestamp
//!    within the tolerance and every other signed part, if the scheme signs them; an active key; a `Content-Length` within
//!    the body limit.
//! 2. The [body budget](VerifyWebhook::body_budget), if you set one, has room for the body.
//! 3. The body arrives completely, within the body limit, and before the [body timeout](VerifyWebhook::body_timeout) if you set one.
//! 4. The signature was made over these bytes with a key that is active now.
//!
//! The crate [`countersign`] describes the checks in full. The wrapped service then gets
//!
//! - the request with its payload as it was on the wire, uncopied if it came in one chunk, otherwise in one buffer. Every extractor
//!   works as it does without the guard, including those that decompress;
//! - a [`VerifiedDelivery`](countersign::VerifiedDelivery) in the request's extensions: the proof and the same bytes. The extractor
//!   [`Verified`] takes it.
//!
//! Every other request gets one of these answers:
//!
//! | status | cause |
//! |---|---|
//! | 401 | the signature is missing, malformed, too old, wrong, or made with a key that is not active |
//! | 413 | the body, or its `Content-Length`, is over the verifier's body limit |
//! | 400 | the body broke off, or `Content-Length` is not a number |
//! | 408 | the body took longer than the body timeout |
//! | 503 | the body budget has too little left, or a tenant could not be looked up |
//!
//! Every 401 is the same, and no rejection has a body. A request that its head rejects is answered before its body is read, and on
//! HTTP/1 the answer says `Connection: close`. What the sender is still sending is then discarded within bounds of bytes and time
//! ([`linger`](VerifyWebhook::linger)), so a sender that writes its whole body first sees the answer and not a reset connection. A rejection is a response, not an error, so middleware outside the guard (such as
//! CORS) still runs. The reason is for the operator: a [`Rejection`](countersign::Rejection) in the response's extensions, a log
//! event (feature `tracing`), and [`VerifyWebhook::on_reject`].
//!
//! # Deployment caveats
//!
//! - **Put the guard outside middleware that replaces the payload or changes the path** (such as `NormalizePath`). In actix-web, what
//!   is wrapped last runs first.
//! - **Set a body timeout.** Without one, anyone who sends a made-up signature of the right length can keep a request open, and with
//!   it memory up to the body limit.
//! - **Take [`Verified`] in every handler.** If the guard is ever removed, the handler then answers 500 and logs the mistake instead
//!   of running unguarded.
//! - The body limit is the verifier's, and [`Verified`] has no other. actix-web's limits still apply to its extractors:
//!   `PayloadConfig` (256 KiB for `Bytes` and `String`), `JsonConfig` (2 MiB), `FormConfig` (16 KiB).
//! - actix-web sends `100 Continue` before any middleware runs, even to a request that the guard rejects. The guard discards its body.
//! - The head of a rejection goes out at once, but the response ends only when the sender's body does, or at the bound of [`linger`](VerifyWebhook::linger).
//!   Access logs and the end of an HTTP/2 stream show that time. `Compress` outside the guard sees a body of unknown length and
//!   makes an empty compressed one of it.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use actix_web::{App, web};
//! use countersign::{Secret, Verifier, senders};
//! use countersign_actix::{Verified, VerifyWebhook};
//!
//! /// Runs for verified deliveries only.
//! async fn order_status(verified: Verified) -> String {
//!     format!("{} bytes, signed with {}", verified.body().len(), verified.key())
//! }
//!
//! let verifier = Verifier::builder(senders::moduslink()).secret("2026-q4", Secret::new("9tWm4KzQ7cXv2LpR")).build()?;
//! let guard = VerifyWebhook::new(verifier).body_timeout(Duration::from_secs(30));
//! let app = App::new().service(
//!     web::resource("/webhooks/moduslink").wrap(guard).route(web::post().to(order_status)),
//! );
//! # let _ = app;
//! # Ok::<(), countersign::BuildError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `inbox` | no | `accept_into`, a handler that stores deliveries in an inbox of the crate `countersign-inbox` and answers at once |
//! | `once` | no | `HandleOnce`, which handles each delivery once, with a store of the crate `countersign-once` |
//! | `rotate` | no | a guard takes a `Rotating<Verifier>`, whose keys are replaced while it runs |
//! | `metrics` | no | the metrics of `countersign`, and of `countersign-inbox` and `countersign-once` with `inbox` and `once` |
//! | `tracing` | yes | a `WARN` event for each rejection and each key that expires soon, a `DEBUG` event for each verified delivery, and fields of the request's span |

#[cfg(feature = "inbox")]
mod accept_into;
mod body;
mod extract;
mod future;
mod guard;
#[cfg(feature = "once")]
mod handle_once;
mod headers;
mod middleware;
mod transform;
mod unread;

#[cfg(feature = "inbox")]
pub use accept_into::{AcceptInto, accept_into};
pub use extract::{MiddlewareMissing, Tenant, Verified};
#[doc(hidden)]
pub use future::ResponseFuture;
#[doc(hidden)]
#[cfg(feature = "once")]
pub use handle_once::HandleOnceMiddleware;
#[cfg(feature = "once")]
pub use handle_once::{ClaimMissing, HandleOnce, OnceClaim};
#[doc(hidden)]
pub use middleware::VerifyWebhookMiddleware;
pub use transform::VerifyWebhook;
