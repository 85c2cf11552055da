//! Verdicts: what a verification ends in.

#[cfg(feature = "identity")]
pub(crate) mod fields;
pub(crate) mod profile;
pub(crate) mod signed_parts;

pub(crate) mod identity;
pub(crate) mod kind;

pub(crate) mod rejection;
pub(crate) mod tenancy;
pub(crate) mod verified;

#[cfg(feature = "identity")]
pub(crate) mod identified;
