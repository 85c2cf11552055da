//! Keys: prepared once at start-up, compared in constant time.

pub(crate) mod algorithm;
pub(crate) mod placeholder;
pub(crate) mod source;

#[cfg(feature = "public-key")]
pub(crate) mod public_key;
pub(crate) mod secret;

pub(crate) mod key;
pub(crate) mod usage;

pub(crate) mod ring;
pub(crate) mod strength;

#[cfg(feature = "public-key")]
pub(crate) mod ed25519;
pub(crate) mod hmac;
#[cfg(feature = "public-key")]
pub(crate) mod public;
pub(crate) mod token;

pub(crate) mod prepare;

#[cfg(test)]
mod timing;
