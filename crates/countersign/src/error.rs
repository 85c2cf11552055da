//! Set-up mistakes, reported at start-up.

use std::{borrow::Cow, fmt};

/// A mistake in the set-up, reported before the first delivery.
///
/// Every message names the offending input and says what to do. `Debug` writes the same text, because a `main` that returns
/// an error prints `Debug`. No message contains key material.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The environment variable is not set.
    EnvUnset {
        /// The variable's name.
        variable: String,
    },
    /// The environment variable is set but empty.
    EnvEmpty {
        /// The variable's name.
        variable: String,
    },
    /// The environment variable's value begins or ends with white space, usually a stray line end.
    EnvPadded {
        /// The variable's name.
        variable: String,
    },
    /// The environment variable's value is not valid UTF-8.
    EnvNotUnicode {
        /// The variable's name.
        variable: String,
    },
    /// A key file cannot be read.
    FileUnreadable {
        /// The file's path.
        file: String,
        /// The kind of I/O error.
        reason: String,
    },
    /// A key file is empty.
    FileEmpty {
        /// The file's path.
        file: String,
    },
    /// A key file begins or ends with white space other than one line end at its end, which is dropped.
    FilePadded {
        /// The file's path.
        file: String,
    },
    /// A verifier was given no key, so it could never accept a delivery.
    NoKey {
        /// The scheme's name.
        scheme: String,
    },
    /// A verifier was given too many keys. Each costs a pass over the body of every delivery.
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
    /// Two keys have the same id, so logs could not tell them apart.
    DuplicateKeyId {
        /// The repeated id.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// A secret is empty, blank or only zero bytes, so anyone could sign with it.
    EmptySecret {
        /// The id of the key that holds it.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// A secret is what documentation and example files hold in place of one, so anyone could sign with it.
    PlaceholderSecret {
        /// The id of the key that holds it.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// A secret does not have the form in which this sender shows secrets.
    SecretForm {
        /// The id of the key that holds it.
        key: String,
        /// The scheme's name.
        scheme: String,
        /// The form that it must have.
        form: Cow<'static, str>,
    },
    /// A key's not-before instant is not earlier than its expiry.
    KeyNeverActive {
        /// The key's id.
        key: String,
        /// The scheme's name.
        scheme: String,
    },
    /// The scheme needs another kind of key, for example a shared secret instead of a public key.
    KeyDoesNotFit {
        /// The key's id.
        key: String,
        /// The scheme's name.
        scheme: String,
        /// What the scheme needs: `a secret`, `an RSA key`.
        needs: &'static str,
    },
    /// An RSA modulus is smaller or larger than the scheme allows.
    ModulusSize {
        /// The key's id.
        key: String,
        /// The scheme's name.
        scheme: String,
        /// The modulus in bits.
        bits: usize,
        /// The smallest that the scheme allows, in bits.
        least: usize,
        /// The largest that any scheme allows, in bits.
        greatest: usize,
    },
    /// The environment variable's value is not a usable public key.
    EnvPublicKey {
        /// The variable's name.
        variable: String,
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A text or DER document is not a usable public key.
    PublicKey {
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A PEM document is not a usable private key (feature `sign`).
    PrivateKey {
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A field of a scheme is missing or contradicts another.
    Scheme {
        /// The scheme's name.
        scheme: String,
        /// The field: the name of the builder's method, and of the configuration's key.
        field: &'static str,
        /// What is wrong with it and what to do.
        mistake: Cow<'static, str>,
    },
    /// A signer lacks a part that its scheme signs, or has one that every verifier would reject (feature `sign`).
    Unsignable {
        /// The scheme's name.
        scheme: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// A verifier for several senders was given no sender.
    NoSender,
    /// One of several verifiers already has several senders. Joining it would lose its rule for choosing between them.
    NestedSenders {
        /// The names of its senders.
        senders: String,
    },
    /// Two keys of one verifier are equal, so the active period of one would override that of the other.
    SameKey {
        /// The id of the first.
        first: String,
        /// The other's.
        second: String,
        /// The scheme's name.
        scheme: String,
    },
    /// Two senders of one verifier have the same signature header, so it could not tell their deliveries apart.
    SameHeader {
        /// The first sender's name.
        first: String,
        /// The other's.
        second: String,
        /// The header.
        header: String,
    },
    /// A header's name is not a valid HTTP field name.
    HeaderName {
        /// The name as given.
        header: String,
    },
    /// A tolerance was given to a scheme that signs no timestamp.
    ToleranceWithoutTimestamp {
        /// The scheme's name.
        scheme: String,
    },
    /// The body limit is zero bytes.
    ZeroBodyLimit,
}

const SET_IT: &str = "set it to the key that the sender gave you";

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvUnset { variable } => write!(f, "environment variable {variable} is not set: {SET_IT}"),
            Self::EnvEmpty { variable } => write!(f, "environment variable {variable} is empty: {SET_IT}"),
            Self::EnvPadded { variable } => write!(
                f,
                "environment variable {variable} begins or ends with white space: remove it (many editors, and `echo` \
                 without -n, add a line end)"
            ),
            Self::EnvNotUnicode { variable } => {
                write!(
                    f,
                    "environment variable {variable} is not valid UTF-8: pass such a secret to `Secret::new` as bytes"
                )
            }
            Self::FileUnreadable { file, reason } => {
                write!(f, "file {file:?} cannot be read: {reason}: check its path and permissions")
            }
            Self::FileEmpty { file } => {
                write!(f, "file {file:?} is empty: write the key that the sender gave you into it")
            }
            Self::FilePadded { file } => {
                write!(
                    f,
                    "file {file:?} begins or ends with white space other than one line end at its end: remove it"
                )
            }
            Self::SecretForm { key, scheme, form } => {
                write!(f, "the secret of key {key:?} of {scheme} has the wrong form: it must be {form}")
            }
            Self::Scheme { scheme, field, mistake } => write!(f, "scheme {scheme:?}, {field}: {mistake}"),
            Self::Unsignable { scheme, reason } => write!(f, "{scheme} cannot sign this: {reason}"),
            Self::NoSender => {
                f.write_str("a verifier without a sender rejects every delivery: give it at least one")
            }
            Self::NestedSenders { senders } => {
                write!(f, "a verifier of {senders} cannot be joined with others: list its senders one by one")
            }
            Self::SameKey { first, second, scheme } => {
                write!(f, "keys {first:?} and {second:?} of {scheme} are the same key: remove one")
            }
            Self::SameHeader { first, second, header } => write!(
                f,
                "{first} and {second} both send {header}, so their deliveries cannot be told apart: give each its own endpoint"
            ),
            Self::NoKey { scheme } => {
                write!(f, "{scheme} was given no key: give it at least one")
            }
            Self::TooManyKeys { scheme, given, limit } => write!(
                f,
                "{scheme} was given {given} keys but takes at most {limit}: remove those that have expired"
            ),
            Self::EmptyKeyId { scheme } => {
                write!(f, "a key of {scheme} has an empty id: name it, for example \"2026-q1\"")
            }
            Self::DuplicateKeyId { key, scheme } => {
                write!(f, "two keys of {scheme} have the id {key:?}: give each its own id")
            }
            Self::EmptySecret { key, scheme } => write!(
                f,
                "the secret of key {key:?} of {scheme} is empty, blank or only zero bytes, so anyone could sign with it: \
                 set it to the secret that the sender gave you"
            ),
            Self::PlaceholderSecret { key, scheme } => write!(
                f,
                "the secret of key {key:?} of {scheme} is a placeholder from documentation or an example file, so anyone could \
                 sign with it: set it to the secret that the sender gave you, or insist on it with \
                 `dangerously_accept_placeholder`"
            ),
            Self::KeyNeverActive { key, scheme } => write!(
                f,
                "key {key:?} of {scheme} is never active: set its not-before to an instant before its expiry"
            ),
            Self::KeyDoesNotFit { key, scheme, needs } => {
                write!(f, "key {key:?} does not fit {scheme}, which needs {needs}")
            }
            Self::ModulusSize { key, scheme, bits, least, greatest } => write!(
                f,
                "key {key:?} of {scheme} has an RSA modulus of {bits} bits: use a key of {least} to {greatest} bits"
            ),
            Self::EnvPublicKey { variable, reason } => {
                write!(f, "environment variable {variable} is not a usable public key: {reason}")
            }
            Self::PublicKey { reason } => write!(f, "not a usable public key: {reason}"),
            Self::PrivateKey { reason } => write!(f, "not a usable private key: {reason}"),
            Self::HeaderName { header } => {
                write!(f, "{header:?} is not an HTTP field name: use ASCII letters, digits and hyphens")
            }
            Self::ToleranceWithoutTimestamp { scheme } => {
                write!(f, "{scheme} signs no timestamp, so a tolerance has nothing to check: remove it")
            }
            Self::ZeroBodyLimit => f.write_str("a body limit of 0 bytes rejects every delivery: raise it"),
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}
