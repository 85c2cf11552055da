//! Verifies webhook deliveries: headers and body bytes in, a verdict out.
//!
//! A webhook is an HTTPS POST to an address that anyone can post to. Its sender signs the body, and the receiver must check
//! that signature, over the exact bytes that arrived, before it acts on them. This crate is that check, for any framework
//! and for none. [`countersign-tower`](https://docs.rs/countersign-tower) wraps it for axum and everything else that speaks
//! tower, [`countersign-actix`](https://docs.rs/countersign-actix) for actix-web. The [`guide`] covers deploying,
//! rotating keys, senders of your own, testing, operating and the threat model.
//!
//! A delivery passes if all of the following hold, checked in this order:
//!
//! 1. Exactly one sender's signature header is present, once, and decodes to a signature of the right length.
//! 2. If the scheme signs a timestamp, it is present once, in the sender's format, and within its [`Tolerance`].
//! 3. Every other signed part of the head is present, once, and cannot be confused with the part next to it.
//! 4. A key is active now.
//! 5. `Content-Length`, if present, is a number within the body limit ([`DEFAULT_BODY_LIMIT`] unless set).
//! 6. The body arrives completely, within the limit.
//! 7. The signature was made over these bytes with a key that is active now. It is compared as bytes, in constant time, with
//!    every key.
//!
//! Checks 1 to 5 read no byte of the body ([`Verifier::begin`]), so a request without a signature costs almost nothing.
//!
//! Every other delivery is a [`Rejection`]. Its [`kind`](Rejection::kind) tells the operator which check failed. Its
//! [`status`](Rejection::status) and [`headers`](Rejection::headers) are all that the caller may see, and are the same for
//! every 401.
//!
//! A [`Verified`] proves that someone who holds the key named by [`Verified::key`] signed the body and, if the scheme signs
//! them, the timestamp and the headers that [`Verified::signed_header`] returns. It proves nothing about other headers, nor that
//! the delivery is new: see [`Verified::fingerprint`].
//!
//! # Deployment caveats
//!
//! The signature covers the bytes on the wire, and the verifier trusts that it is given them:
//!
//! - Verify first, decompress after. The same goes for parsing and for anything else that reads the body.
//! - A proxy that changes the body (decompresses it, re-encodes JSON, changes line ends) breaks every signature.
//! - A proxy that drops the signature header, or adds a second one, turns every delivery into a rejection.
//! - Pass a pair for each header line. A map that keeps one of two values hides a duplicate from check 1.
//!
//! # Example
//!
//! ```
//! use std::time::SystemTime;
//! use countersign::{RejectionKind, Secret, Verifier, senders};
//!
//! // Real code reads the secret with `Secret::from_env`. This one is public, so a verifier refuses it unless told not to.
//! let secret = Secret::new("moduslink-shared-secret").dangerously_accept_placeholder();
//! // Once, at start-up. Logs show the id.
//! let verifier = Verifier::builder(senders::moduslink()).secret("2026-q4", secret).build()?;
//!
//! // For each delivery: its headers, the exact bytes of its body, and the receiver's clock.
//! let headers = [("X-Moduslink-HMAC-SHA256", "HexiNqgqjYsmnaTrweQcm1/pZrD6/fTt/mTYh0ppbUQ=")];
//! let verified = verifier.verify(&headers, br#"{"eventType":"Orders.Created"}"#, SystemTime::now())?;
//! assert_eq!(verified.key().as_str(), "2026-q4");
//!
//! // One byte more is another body.
//! let rejection = verifier.verify(&headers, br#"{"eventType":"Orders.Created"} "#, SystemTime::now()).unwrap_err();
//! assert_eq!((rejection.kind(), rejection.status()), (RejectionKind::SignatureMismatch, 401));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Types
//!
//! Users of an adapter need five:
//!
//! | type | what it is |
//! |---|---|
//! | [`Scheme`] | what a sender puts on the wire: one of the [named senders](senders), or your own from [`Scheme::builder`] |
//! | [`Secret`], or `PublicKey` | a key that you hold; a [`Key`] adds the instants between which it is active |
//! | [`Verifier`] | a scheme and its keys, built once at start-up |
//! | [`Verified`], or `VerifiedDelivery` with the body | the proof that a handler takes |
//! | [`Rejection`] | the reason for everything else |
//!
//! [`Verifier::key_use`] says how often each key was used: may the old one go? Mistakes in the set-up are a [`BuildError`]. `Config` builds a verifier from a file, `Signer` plays the sender in tests, and
//! `BodyBudget` and `Linger` are settings that you pass to an adapter.
//!
//! These exist for authors of adapters: [`Headers`] and [`RequestHead`] present a request's head, `Receiving` takes a request from
//! its head to the verdict, and `BufferedVerification` and `Reservation` are its parts. [`Verification`] is for bodies that arrive
//! in pieces, without a framework.
//!
//! # Which delivery it is
//!
//! Senders send again what they take for lost, and a captured delivery can be sent again by anyone until its timestamp
//! expires. An [`Identity`] (feature `identity`) is the same for every attempt at one delivery, whatever changes between
//! attempts: the timestamp, the signature, the key, the order of fields, or an attempt number. Remember the identities of
//! handled deliveries for the sender's [`retry_horizon`](Scheme::retry_horizon), or for as long as a replay would matter.
//! [`Verified::fingerprint`] names the signed bytes instead: use it in logs, to see whether two requests were the same
//! signed message.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `public-key` | no | RSA, ECDSA and Ed25519: `PublicKey` and the senders that need it; builds aws-lc-rs, which needs a C compiler |
//! | `legacy-md5` | no | `senders::fluent_legacy_md5`; enables `public-key` |
//! | `serde` | no | `Config`: verifiers from TOML, JSON or YAML |
//! | `sign` | no | `Signer`: the headers that a sender would send, for tests and tools |
//! | `rotate` | no | `Rotating`: keys, or a whole configuration, that are replaced while requests are in flight; adds `arc-swap` |
//! | `metrics` | no | deliveries, bodies and the use of keys, measured: `countersign::metrics` |
//! | `tracing` | no | a `WARN` event for each rejection, each weak secret and each key that expires soon, a `DEBUG` event for each verified delivery, and fields of the request's span |
//! | `identity` | no | `Verifier::identify` and, with `bytes`, `VerifiedDelivery::identify`: which delivery it is, the same for every retry; adds `serde_json` |
//! | `bytes` | no | `BufferedVerification`, `VerifiedDelivery`, `Receiving`, `BodyBudget` and `Linger`, on which the adapters are built |
//! | `explain` | no | `Explainer`: why a delivery is rejected, for operators; adds `serde_json` and `flate2` |
//!
//! The crate never reads a clock, and without the feature `bytes` it has no async code.

// Each room uses only the rooms above it, and no two files import each other: tests/suite/rooms.rs.
mod error;
#[cfg(feature = "metrics")]
pub mod metrics;
mod wire;

#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    expect(unused_variables, reason = "each feature takes a part of what is told")
)]
mod log;

mod keys;

mod schemes;

mod verdicts;

mod verifying;

#[cfg(feature = "serde")]
mod config;
#[cfg(feature = "sign")]
mod sign;

#[cfg(feature = "explain")]
mod explain;

// Its code runs in the suite, which has the frameworks that it uses.
#[cfg(all(doc, not(doctest)))]
pub mod guide;

#[cfg(feature = "serde")]
pub use config::{Config, ConfigSenders, error::ConfigError};
pub use error::BuildError;
#[cfg(feature = "explain")]
pub use explain::{Explainer, cause::Cause, explanation::Explanation, hypothesis::Hypothesis};
#[cfg(feature = "public-key")]
pub use keys::public_key::PublicKey;
pub use keys::{
    algorithm::Algorithm,
    key::{Key, KeyId},
    secret::{Secret, SecretForm},
};
pub use schemes::{
    builder::SchemeBuilder,
    identity_source::IdentitySource,
    list::SignatureList,
    part::Part,
    scheme::{ContentEncoding, Facts, Scheme},
    senders,
};
#[cfg(all(feature = "public-key", feature = "sign"))]
pub use sign::private_key::PrivateKey;
#[cfg(feature = "sign")]
pub use sign::{Signer, SigningKey};
#[cfg(feature = "identity")]
pub use verdicts::identified::{Fallback, Identified};
pub use verdicts::{
    identity::Identity,
    kind::RejectionKind,
    rejection::Rejection,
    tenancy::NoTenant,
    verified::{Fingerprint, Verified},
};
#[cfg(feature = "rotate")]
pub use verifying::rotating::Rotating;
#[cfg(feature = "bytes")]
pub use verifying::{
    budget::{BodyBudget, Reservation},
    buffered::{BufferedVerification, VerifiedDelivery},
    linger::Linger,
    receiving::Receiving,
    source::{Choice, ChooseVerifier, Choosing, VerifierSource},
};
pub use verifying::{
    builder::VerifierBuilder,
    expiring::Expiring,
    key_use::KeyUse,
    verification::Verification,
    verifier::{DEFAULT_BODY_LIMIT, Verifier},
};
pub use wire::{
    encoding::{Encoding, Padding},
    headers::{Headers, RequestHead},
    timestamp::{Timestamp, TimestampFormat, Tolerance},
};
