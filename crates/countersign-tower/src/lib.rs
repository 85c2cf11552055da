//! A tower layer that verifies the signature of a webhook delivery before any handler runs.
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
//! # Which requests pass
//!
//! Those that the [`Verifier`](countersign::Verifier) verifies, whatever their method: see
//! [its crate](countersign#which-deliveries-pass) for the checks and their order. The inner service then gets
//!
//! - the request as it was, with its body as a [`VerifiedBody`]: the same bytes, uncopied where they came in one
//!   chunk, in one buffer otherwise; trailers are kept, and are not covered by the signature;
//! - a [`VerifiedDelivery`](countersign::VerifiedDelivery) in its extensions: the proof and the same bytes. The extractor
//!   `Verified` (feature `axum`) takes it.
//!
//! # What the others get
//!
//! | status | when |
//! |---|---|
//! | 401 | the signature is missing, malformed, wrong, too old, or made with a key that is not active |
//! | 413 | the body, or the `Content-Length` that announces it, is over the verifier's body limit |
//! | 400 | the body broke off, or `Content-Length` is not a number |
//! | 408 | the body took longer than [`VerifyWebhookLayer::body_timeout`] |
//! | 503 | the bodies that are being received leave too little of [`VerifyWebhookLayer::body_budget`] |
//!
//! Every 401 is the same, and no refusal has a body. A request that its headers refuse is answered before its body is read, and
//! on HTTP/1 the answer says `Connection: close`. What the sender is still sending is then discarded within the bounds of
//! [`VerifyWebhookLayer::linger`], so that a sender which writes its whole body first sees the answer and not a reset
//! connection. A sender that waits for `100 Continue` is never told to continue; its connection closes at once. The reason is
//! for the operator: a [`Rejection`](countersign::Rejection) in the response's extensions, a log event (feature `tracing`) and
//! [`VerifyWebhookLayer::on_reject`].
//!
//! The layer changes neither the service's response type nor its error type. The body of its responses has to be `Default`, as
//! `axum::body::Body` and `Full`, `Empty` and the boxed ones of http-body-util are: box another one inside of the guard. The
//! body of its requests has to be `Send`, `Unpin` and `'static`, as hyper's and axum's are: box another one outside of it. The
//! service that it calls is the one that was polled ready.
//!
//! # Where it goes among other layers
//!
//! Outside decompression and everything that reads the body: in axum, the layer that is added last runs first. With
//! [`VerifyWebhookLayer::body_timeout`], or inside a request timeout: without either, anyone can keep a request open. The
//! inner service is held ready while the body arrives, which counts against a concurrency limit inside this layer. The
//! body is read within the verifier's own limit; axum's `DefaultBodyLimit` of 2 MB still applies to the extractors that
//! read the request's.
//!
//! Layers between this one and a handler see a [`VerifiedBody`]. One that insists on axum's own body, as
//! `axum::middleware::from_fn` does, or whose responses have a body that is not `Default`, as those of tower-http's
//! `TraceLayer`, is added to the `Router` or `MethodRouter` by a call of `layer` of its own, which converts, and not in one
//! `ServiceBuilder` with this one.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `axum` | no | `Verified` as an extractor, which fails closed where no layer ran |
//! | `tracing` | yes | a `WARN` event for each rejection, a `DEBUG` event for each verified delivery |

mod body;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod guard;
mod headers;
mod layer;
mod service;
mod unread;

pub use body::VerifiedBody;
#[cfg(feature = "axum")]
pub use extract::{LayerMissing, Verified};
pub use future::ResponseFuture;
pub use layer::VerifyWebhookLayer;
pub use service::VerifyWebhook;
