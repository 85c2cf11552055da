//! What goes wrong while a guard is being set up: a person's mistake, told at start-up.

use std::fmt;

/// A mistake in the set-up, found before the first delivery.
///
/// Every message names the offending input and says what to do; `Debug` writes the same, since that is what a `main`
/// that returns an error prints. None of them holds key material.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The environment variable is not set.
    EnvUnset {
        /// The variable's name.
        variable: String,
    },
    /// The environment variable is set to nothing.
    EnvEmpty {
        /// The variable's name.
        variable: String,
    },
    /// The environment variable's value begins or ends with white space: nearly always a stray line end.
    EnvPadded {
        /// The variable's name.
        variable: String,
    },
    /// The environment variable's value is not valid UTF-8.
    EnvNotUnicode {
        /// The variable's name.
        variable: String,
    },
    /// A verifier was given no key, so that it could never accept.
    NoKey {
        /// The scheme's name.
        scheme: String,
    },
    /// More keys than a verifier may hold: each costs a pass over the body of every delivery.
    TooManyKeys {
        /// The scheme's name.
        scheme: String,
        /// How many were given.
        given: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A key's id is empty.
    EmptyKeyId {
        /// The scheme's name.
        scheme: String,
    },
    /// Two keys share one id, so that a log could not tell them apart.
    DuplicateKeyId {
        /// The id that occurs twice.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// A secret has no bytes, or none other than zero, which is the same to an HMAC: anybody could sign with it.
    EmptySecret {
        /// The id of the key that holds it.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// A key's not-before instant is not earlier than its expiry.
    KeyNeverActive {
        /// The key's id.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// The scheme needs a shared secret and was given a public key, or the reverse.
    KeyDoesNotFit {
        /// The key's id.
        key: String,
        /// The scheme's name.
        scheme: String,
        /// What the scheme needs: `a secret` or `an RSA public key`.
        needs: &'static str,
    },
    /// An RSA modulus is outside of what the scheme allows.
    ModulusSize {
        /// The key's id.
        key: String,
        /// The scheme's name.
        scheme: String,
        /// The modulus in bits.
        bits: usize,
        /// The least the scheme allows, in bits.
        least: usize,
        /// The greatest any scheme allows, in bits.
        greatest: usize,
    },
    /// The environment variable's value is not a usable RSA public key.
    EnvPublicKey {
        /// The variable's name.
        variable: String,
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A text or DER document is not a usable RSA public key.
    PublicKey {
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A PEM document is not a usable RSA private key (feature `sign`).
    PrivateKey {
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// The signature header's name is not a valid HTTP field name.
    HeaderName {
        /// The name as given.
        header: String,
    },
    /// A tolerance was given to a scheme that signs no timestamp.
    ToleranceWithoutTimestamp {
        /// The scheme's name.
        scheme: String,
    },
    /// A body limit of zero bytes.
    ZeroBodyLimit,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvUnset { variable } => {
                write!(
                    f,
                    "environment variable {variable} is not set: set it to the key that the sender gave you"
                )
            }
            Self::EnvEmpty { variable } => {
                write!(
                    f,
                    "environment variable {variable} is empty: set it to the key that the sender gave you"
                )
            }
            Self::EnvPadded { variable } => write!(
                f,
                "environment variable {variable} begins or ends with white space: remove it (a line end is added by \
                 many editors and by `echo` without -n)"
            ),
            Self::EnvNotUnicode { variable } => {
                write!(
                    f,
                    "environment variable {variable} is not valid UTF-8: give such a secret to `Secret::new` as bytes"
                )
            }
            Self::NoKey { scheme } => {
                write!(f, "{scheme} was given no key: give it at least one")
            }
            Self::TooManyKeys { scheme, given, limit } => write!(
                f,
                "{scheme} was given {given} keys and takes at most {limit}: remove those that have expired"
            ),
            Self::EmptyKeyId { scheme } => {
                write!(f, "a key of {scheme} has an empty id: name it, as in \"2026-q1\"")
            }
            Self::DuplicateKeyId { key, scheme } => {
                write!(f, "two keys of {scheme} have the id {key:?}: give each an id of its own")
            }
            Self::EmptySecret { key, scheme } => write!(
                f,
                "the secret of key {key:?} of {scheme} is empty, or zero bytes only, so that anybody could sign with \
                 it: set it to the one that the sender gave you"
            ),
            Self::KeyNeverActive { key, scheme } => write!(
                f,
                "key {key:?} of {scheme} is never active: set its not-before to an instant before its expiry"
            ),
            Self::KeyDoesNotFit { key, scheme, needs } => {
                write!(f, "key {key:?} does not fit {scheme}: give the scheme {needs}")
            }
            Self::ModulusSize { key, scheme, bits, least, greatest } => write!(
                f,
                "key {key:?} of {scheme} has an RSA modulus of {bits} bits: use one of {least} to {greatest} bits"
            ),
            Self::EnvPublicKey { variable, reason } => {
                write!(f, "environment variable {variable} is not a usable RSA public key: {reason}")
            }
            Self::PublicKey { reason } => write!(f, "not a usable RSA public key: {reason}"),
            Self::PrivateKey { reason } => write!(f, "not a usable RSA private key: {reason}"),
            Self::HeaderName { header } => {
                write!(f, "{header:?} is not an HTTP field name: use ASCII letters, digits and hyphens")
            }
            Self::ToleranceWithoutTimestamp { scheme } => {
                write!(f, "{scheme} signs no timestamp, so a tolerance has nothing to check: remove it")
            }
            Self::ZeroBodyLimit => f.write_str("a body limit of 0 bytes refuses every delivery: raise it"),
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}
