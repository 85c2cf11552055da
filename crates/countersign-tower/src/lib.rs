//! A tower layer that verifies the signature of a webhook delivery before any handler runs.
//!
//! ```
//! use axum::{Router, body::Bytes, routing::post};
//! use countersign::{Secret, Verifier, senders};
//! use countersign_tower::VerifyWebhookLayer;
//!
//! async fn order_status(body: Bytes) -> String {
//!     format!("{} verified bytes", body.len())
//! }
//!
//! let verifier = Verifier::builder(senders::moduslink()).secret("2026-q4", Secret::new("a secret")).build()?;
//! let guarded = post(order_status).layer(VerifyWebhookLayer::new(verifier));
//! let app: Router = Router::new().route("/webhooks/moduslink", guarded);
//! # Ok::<(), countersign::BuildError>(())
//! ```
//!
//! # Which requests pass
//!
//! Those that the [`Verifier`](countersign::Verifier) verifies, whatever their method: see
//! [its crate](countersign#which-deliveries-pass) for the checks and their order. The inner service then gets
//!
//! - the request as it was, with its body as a [`VerifiedBody`]: the same bytes, uncopied where they came in one
//!   chunk, in one buffer otherwise; trailers are kept, and are not covered by the signature;
//! - a [`countersign::Verified`] in its extensions, which the extractor `Verified` (feature `axum`) takes.
//!
//! # What the others get
//!
//! | status | when |
//! |---|---|
//! | 401 | the signature is missing, malformed, wrong, too old, or made with a key that is not active |
//! | 413 | the body, or the `Content-Length` that announces it, is over the verifier's body limit |
//! | 400 | the body broke off, or `Content-Length` is not a number |
//! | 408 | the body took longer than [`VerifyWebhookLayer::body_timeout`] |
//!
//! Every 401 has the same headers and body. A request that its headers refuse is answered without reading its body. On
//! HTTP/1 a refusal says `Connection: close`. The reason is for the operator: a
//! [`Rejection`](countersign::Rejection) in the response's extensions, a log event (feature `tracing`) and
//! [`VerifyWebhookLayer::on_reject`].
//!
//! The layer never changes the service's error type, and the service that it calls is the one that was polled ready.
//!
//! # Where it goes among other layers
//!
//! Outside of decompression and of everything that reads the body: in axum, a layer that is added later runs earlier.
//! Inside of a request timeout, if there is one. The body is read within the verifier's own limit; axum's
//! `DefaultBodyLimit` of 2 MB still applies to the extractors after it.
//!
//! Layers between this one and a handler see a [`VerifiedBody`]. One that insists on axum's own body, as
//! `axum::middleware::from_fn` does, is added to the `Router` or `MethodRouter` by a call of `layer` of its own, which
//! converts, and not in one `ServiceBuilder` with this one.
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
mod headers;
mod layer;
mod service;

pub use body::{ResponseBody, VerifiedBody};
#[cfg(feature = "axum")]
pub use extract::{LayerMissing, Verified};
pub use future::ResponseFuture;
pub use layer::VerifyWebhookLayer;
pub use service::VerifyWebhook;
