//! Checks the signature of a webhook delivery: headers and body bytes in, a verdict out.
//!
//! A webhook is an HTTPS POST to an address that anyone can post to. Its sender signs the raw body, and the receiver
//! must check that signature, on the exact bytes that arrived, before it acts on them. This crate is that check,
//! for any framework and for none: it has no HTTP types and, but for what adapters are built on (feature
//! `bytes`), no async and no clock.
//! [`countersign-tower`](https://docs.rs/countersign-tower) is a layer for axum and everything else that speaks
//! tower.
//!
//! ```
//! use std::time::SystemTime;
//! use countersign::{Secret, Verifier, senders};
//!
//! // Once, at start-up. The id is what logs show; real code takes the secret from `Secret::from_env`.
//! let verifier = Verifier::builder(senders::moduslink())
//!     .secret("2026-q4", Secret::new("moduslink-shared-secret"))
//!     .build()?;
//!
//! // For each delivery: its headers, the exact bytes of its body, and the receiver's clock.
//! let headers = [("X-Moduslink-HMAC-SHA256", "HexiNqgqjYsmnaTrweQcm1/pZrD6/fTt/mTYh0ppbUQ=")];
//! let verified = verifier.verify(&headers, br#"{"eventType":"Orders.Created"}"#, SystemTime::now())?;
//! assert_eq!(verified.key().as_str(), "2026-q4");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which deliveries pass
//!
//! Those for which all of this holds, checked in this order:
//!
//! 1. One sender's signature header is there, exactly once, and decodes to a signature of the right length.
//! 2. The timestamp, where the scheme signs one, is in its format and within its [`Tolerance`]. What else of the head is
//!    signed is there, once, and holds nothing that could be mistaken for what is signed beside it.
//! 3. Some key is active now.
//! 4. `Content-Length`, where there is one, is a number within the body limit ([`DEFAULT_BODY_LIMIT`] unless set).
//! 5. The body arrives, within the limit.
//! 6. The signature was made over it with a key that is active now. It is compared as bytes, in constant time,
//!    with every key's.
//!
//! The first four are decided without a byte of the body ([`Verifier::begin`]), so that a request without a
//! signature costs nothing. Everything else is a [`Rejection`] with a [`RejectionKind`] for the operator; what the
//! caller may see of it is the same for every 401.
//!
//! # What a verdict means
//!
//! A [`Verified`] can only come from a verification. It proves that somebody who holds the key named by
//! [`Verified::key`] signed these bytes: the body and, where the scheme signs them, the timestamp and the headers that
//! [`Verified::signed_header`] gives. It proves nothing of other headers, and nothing of how often the delivery was sent.
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
//! # Senders
//!
//! The [named senders](senders) are values; [`Scheme::builder`] states any other, and [`Verifier::any_of`] takes several at
//! one address. `Config` (feature `serde`) does all of that from a file.
//!
//! # Set-up
//!
//! Every mistake that can be found at start-up is a [`BuildError`] from [`Secret::from_env`] or
//! [`VerifierBuilder::build`]: no key, an empty secret, a key that does not fit the scheme. For a key rotation, give
//! the verifier several [`Key`]s, each with the instants between which it is active.
//!
//! # Deployment caveats
//!
//! - A proxy that changes the body (decompresses it, re-encodes JSON, changes line ends) breaks every signature.
//! - A proxy that drops or doubles the signature header makes every delivery a rejection.
//! - `Content-Encoding`: the signature covers the bytes on the wire. Verify first, decompress after.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `public-key` | no | RSA, ECDSA and Ed25519: `PublicKey` and the senders that need it; aws-lc-rs in it needs a C compiler |
//! | `legacy-md5` | no | `senders::fluent_legacy_md5`, and with it `public-key` |
//! | `serde` | no | `Config`: verifiers from TOML, JSON or YAML |
//! | `sign` | no | `Signer`: the headers that a sender would send, for tests and tools |
//! | `tracing` | no | a `WARN` event for each rejection, a `DEBUG` event for each verified delivery |
//! | `identity` | no | `Verifier::identify` and, with `bytes`, `VerifiedDelivery::identify`: which delivery it is, the same for every retry; adds `serde_json` |
//! | `bytes` | no | `BufferedVerification`, which keeps the body, `Receiving` and `BodyBudget`; for adapters |

// Each room uses only the rooms above it, and within a room each file only the files above it.
mod error;
mod wire;

mod keys;

mod schemes;

mod verdicts;

mod verifying;

#[cfg(feature = "serde")]
mod config;
#[cfg(feature = "sign")]
mod sign;

#[cfg(feature = "serde")]
pub use config::{Config, error::ConfigError};
pub use error::BuildError;
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
    verified::{Fingerprint, Verified},
};
#[cfg(feature = "bytes")]
pub use verifying::{
    budget::{BodyBudget, Reservation},
    buffered::{BufferedVerification, VerifiedDelivery},
    receiving::Receiving,
};
pub use verifying::{
    builder::VerifierBuilder,
    verification::Verification,
    verifier::{DEFAULT_BODY_LIMIT, Verifier},
};
pub use wire::{
    encoding::{Encoding, Padding},
    headers::{Headers, RequestHead},
    timestamp::{Timestamp, TimestampFormat, Tolerance},
};
