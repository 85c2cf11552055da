//! Checks the signature of a webhook delivery: headers and body bytes in, a verdict out.
#![forbid(unsafe_code)]

mod algorithm;
#[cfg(feature = "bytes")]
mod buffered;
mod error;
mod headers;
mod key;
#[cfg(feature = "rsa")]
mod public_key;
mod rejection;
mod scheme;
pub mod senders;
#[cfg(feature = "sign")]
mod sign;
mod signature;
mod timestamp;
mod verification;
mod verifier;

pub use algorithm::Algorithm;
#[cfg(all(feature = "rsa", feature = "sign"))]
pub use algorithm::rsa::PrivateKey;
#[cfg(feature = "bytes")]
pub use buffered::BufferedVerification;
pub use error::BuildError;
pub use headers::Headers;
pub use key::{Key, KeyId, Secret};
#[cfg(feature = "rsa")]
pub use public_key::PublicKey;
pub use rejection::{Rejection, RejectionKind};
pub use scheme::{Facts, Scheme};
#[cfg(feature = "sign")]
pub use sign::{Signer, SigningKey};
pub use timestamp::Tolerance;
pub use verification::{Fingerprint, Verification, Verified};
pub use verifier::{DEFAULT_BODY_LIMIT, Verifier, VerifierBuilder};
