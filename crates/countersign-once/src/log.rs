//! The events of the feature `tracing`.

use countersign::Identity;

use crate::{Claim, Fence, Outcome, StoreError, end::End};

#[cfg(feature = "tracing")]
const TARGET: &str = "countersign_once";

#[cfg(feature = "tracing")]
pub(crate) fn decided(identity: &Identity, outcome: Outcome, failure: Option<&StoreError>) {
    let outcome = outcome.as_str();
    match failure {
        Some(failure) => {
            tracing::warn!(target: TARGET, %identity, outcome, %failure, "webhook delivery not claimed");
        }
        None => tracing::debug!(target: TARGET, %identity, outcome, "webhook delivery decided"),
    }
}

#[cfg(feature = "tracing")]
pub(crate) fn ended(claim: &Claim, end: End, answer: &Result<Fence, StoreError>) {
    let identity = claim.identity();
    match (answer, end) {
        (Ok(Fence::Passed), End::Complete(_)) => {
            tracing::debug!(target: TARGET, %identity, "webhook delivery completed");
        }
        (Ok(Fence::Passed), End::Release) => {
            tracing::debug!(target: TARGET, %identity, "webhook delivery released");
        }
        (Ok(Fence::Lost), End::Complete(_)) => {
            tracing::warn!(
                target: TARGET,
                %identity,
                "webhook delivery taken over by another attempt before it was completed"
            );
        }
        (Ok(Fence::Lost), End::Release) => {
            tracing::debug!(target: TARGET, %identity, "webhook delivery not held any more");
        }
        (Err(failure), End::Complete(_)) => {
            tracing::warn!(target: TARGET, %identity, %failure, "webhook delivery not completed");
        }
        (Err(failure), End::Release) => {
            tracing::warn!(target: TARGET, %identity, %failure, "webhook delivery not released");
        }
    }
}

#[cfg(all(feature = "tracing", any(feature = "sqlite", feature = "postgres")))]
pub(crate) fn not_swept(failure: &StoreError) {
    tracing::warn!(target: TARGET, %failure, "expired webhook identities not removed");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn decided(_: &Identity, _: Outcome, _: Option<&StoreError>) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn ended(_: &Claim, _: End, _: &Result<Fence, StoreError>) {}

#[cfg(all(not(feature = "tracing"), any(feature = "sqlite", feature = "postgres")))]
pub(crate) fn not_swept(_: &StoreError) {}
