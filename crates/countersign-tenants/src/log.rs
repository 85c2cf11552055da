//! The events of the feature `tracing`.
//!
//! The caller chose the tenant's name, so it is written as Rust writes a string, with everything odd escaped.

use crate::failure::Failure;

#[cfg(feature = "tracing")]
pub(crate) fn failed(tenant: &str, failure: &Failure) {
    tracing::error!(target: "countersign_tenants", ?tenant, %failure, "webhook tenant not looked up");
}

#[cfg(feature = "tracing")]
pub(crate) fn unknown(tenant: &str) {
    tracing::debug!(target: "countersign_tenants", ?tenant, "no such webhook tenant");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn failed(_: &str, _: &Failure) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn unknown(_: &str) {}
