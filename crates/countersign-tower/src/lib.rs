//! A tower layer that verifies the signature of a webhook delivery before any handler runs.
//!
//! A request passes, whatever its method, if all of the following hold, checked in this order:
//!
//! 1. The [`Verifier`](countersign::Verifier) accepts its head: one sender's signature header, once and well-formed; a timestamp
//!    within the tolerance and every other signed part, if the scheme signs them; an active key; a `Content-Length` within
//!    the body limit.
//! 2. The [body budget](VerifyWebhookLayer::body_budget), if you set one, has room for the body.
//! 3. The body arrives completely, within the body limit, and before the
//!    [body timeout](VerifyWebhookLayer::body_timeout) if you set one.
//! 4. The signature was made over these bytes with a key that is active now.
//!
//! The crate [`countersign`] describes the checks in full. The inner service then gets
//!
//! - the request as it was, with a [`VerifiedBody`]: the same bytes, uncopied if they came in one chunk, otherwise in one
//!   buffer. Trailers are kept; no signature covers them;
//! - a [`VerifiedDelivery`](countersign::VerifiedDelivery) in the request's extensions: the proof and the same bytes. The
//!   extractor `Verified` (feature `axum`) takes it.
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
//! ([`linger`](VerifyWebhookLayer::linger)), so a sender that writes its whole body first sees the answer and not a reset connection. The reason is for the operator: a [`Rejection`](countersign::Rejection) in the
//! response's extensions, a log event (feature `tracing`), and [`VerifyWebhookLayer::on_reject`].
//!
//! # Deployment caveats
//!
//! - **Put the layer outside everything that reads or decompresses the body.** In axum, the layer added last runs first.
//! - **Set a body timeout**, or put the layer inside a request timeout. Without either, anyone who sends a made-up signature of the
//!   right length can keep a request open, and with it memory up to the body limit.
//! - **Take `Verified` in every handler.** If the layer is ever removed, the handler then answers 500 and logs the mistake instead
//!   of running unguarded.
//! - A sender that waits for `100 Continue` is never told to continue if its head is rejected; its connection closes at once.
//! - The body limit is the verifier's. axum's `DefaultBodyLimit` of 2 MB still applies to extractors that read the request's body,
//!   but not to `Verified::body`.
//! - The layer holds the inner service ready while the body arrives, which counts against a concurrency limit inside it.
//! - A path that is signed is checked in full, even inside axum's `nest`, if the feature `axum` is on. Without it, put the layer
//!   outside anything that changes the path.
//!
//! # Other layers
//!
//! The layer changes neither the response type nor the error type of the inner service, and calls the service that was polled
//! ready. The response body must implement `Default`, as `axum::body::Body` and http-body-util's `Full`, `Empty` and boxed bodies
//! do; box any other inside the layer. The request body must be `Send`, `Unpin` and `'static`, as hyper's and axum's are; box any
//! other outside the layer.
//!
//! Layers between this one and the handler see a [`VerifiedBody`]. In axum, add a layer that requires axum's own body
//! (`axum::middleware::from_fn`), or whose response body is not `Default` (tower-http's `TraceLayer`), with a `layer` call of its
//! own, which converts, and not in one `ServiceBuilder` with this layer.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # fn app() -> Result<axum::Router, countersign::BuildError> {
//! use std::time::Duration;
//!
//! use axum::{Router, routing::post};
//! use countersign::{Secret, Verifier, senders};
//! use countersign_tower::{Verified, VerifyWebhookLayer};
//!
//! /// Runs for verified deliveries only.
//! async fn order_status(verified: Verified) -> String {
//!     format!("{} bytes, signed with {}", verified.body().len(), verified.key())
//! }
//!
//! let verifier = Verifier::builder(senders::moduslink()).secret("2026-q4", Secret::new("a secret")).build()?;
//! let guard = VerifyWebhookLayer::new(verifier).body_timeout(Duration::from_secs(30));
//! let app = Router::new().route("/webhooks/moduslink", post(order_status).layer(guard));
//! # Ok(app)
//! # }
//! ```
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `axum` | no | `Verified` as an extractor, which answers 500 if no layer ran; the full path inside `nest` |
//! | `inbox` | no | `accept_into`, an axum handler that stores deliveries in an inbox of the crate `countersign-inbox` and answers at once |
//! | `once` | no | `HandleOnceLayer`, which handles each delivery once, with a store of the crate `countersign-once` |
//! | `rotate` | no | a guard takes a `Rotating<Verifier>`, whose keys are replaced while it runs |
//! | `metrics` | no | the metrics of `countersign`, and of `countersign-inbox` and `countersign-once` with `inbox` and `once` |
//! | `tracing` | yes | a `WARN` event for each rejection and each key that expires soon, a `DEBUG` event for each verified delivery, and fields of the request's span |

#[cfg(feature = "inbox")]
mod accept_into;
mod body;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod guard;
#[cfg(feature = "once")]
mod handle_once;
mod headers;
mod inner;
mod layer;
mod service;
mod unread;

#[cfg(feature = "inbox")]
pub use accept_into::{AcceptInto, accept_into};
pub use body::VerifiedBody;
#[cfg(feature = "axum")]
pub use extract::{LayerMissing, Tenant, Verified};
pub use future::ResponseFuture;
#[cfg(all(feature = "axum", feature = "once"))]
pub use handle_once::ClaimMissing;
#[cfg(feature = "once")]
pub use handle_once::{HandleOnce, HandleOnceFuture, HandleOnceLayer, OnceClaim};
pub use layer::VerifyWebhookLayer;
pub use service::VerifyWebhook;
