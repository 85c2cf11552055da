//! Verifying: the walk from a request's head to a verdict.

pub(crate) mod claims;
pub(crate) mod covered;
pub(crate) mod parts;

pub(crate) mod key_state;
pub(crate) mod sender;

pub(crate) mod verification;

pub(crate) mod verifier;

pub(crate) mod builder;

pub(crate) mod expiring;
pub(crate) mod key_use;
pub(crate) mod report;

#[cfg(feature = "rotate")]
pub(crate) mod rotating;

#[cfg(feature = "bytes")]
pub(crate) mod budget;
#[cfg(feature = "bytes")]
pub(crate) mod buffer;
#[cfg(feature = "bytes")]
pub(crate) mod buffered;
#[cfg(feature = "bytes")]
pub(crate) mod linger;
#[cfg(feature = "bytes")]
pub(crate) mod meter;
#[cfg(feature = "bytes")]
pub(crate) mod receiving;
#[cfg(feature = "bytes")]
pub(crate) mod source;
