//! The events of the feature `tracing`.

use std::{fmt::Display, path::Path};

#[cfg(feature = "tracing")]
pub(crate) fn reloaded(files: usize) {
    tracing::info!(target: "countersign_watch", files, "webhook keys reloaded");
}

#[cfg(feature = "tracing")]
pub(crate) fn not_reloaded(failure: &dyn Display) {
    tracing::error!(target: "countersign_watch", %failure, "webhook keys not reloaded: those loaded before stay in use");
}

#[cfg(feature = "tracing")]
pub(crate) fn readable_by_all(path: &Path) {
    tracing::warn!(target: "countersign_watch", file = %path.display(), "every user of this machine may read a webhook secret");
}

#[cfg(feature = "tracing")]
pub(crate) fn not_told(failure: &dyn Display) {
    tracing::warn!(target: "countersign_watch", %failure, "the operating system does not tell of changed files: they are looked at from time to time");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn reloaded(_: usize) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn not_reloaded(_: &dyn Display) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn readable_by_all(_: &Path) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn not_told(_: &dyn Display) {}
