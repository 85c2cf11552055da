//! What remembers deliveries.

use std::{future::Future, sync::Arc, time::Duration};

use crate::{Claim, StoreError};

/// Remembers which deliveries are being handled and which are done.
///
/// An identity is in one of three states: unknown; held by a token until its lease runs out; or done, with the token that
/// completed it, until its keep time runs out. When the lease or the keep time has run out, the identity is unknown again.
/// **Each method reads the state and changes it in one atomic step.** The table gives the new state, if there is one, and the
/// answer:
///
/// | call | unknown | held by this token | held by another | done by this token | done by another |
/// |---|---|---|---|---|---|
/// | [`claim`](Self::claim) | held: `Granted` | `InProgress` | `InProgress` | `Done` | `Done` |
/// | [`complete`](Self::complete) | done: `Passed` | done: `Passed` | `Lost` | `Passed` | `Lost` |
/// | [`extend`](Self::extend) | held: `Passed` | held anew: `Passed` | `Lost` | `Lost` | `Lost` |
/// | [`release`](Self::release) | either answer | unknown: `Passed` | `Lost` | `Lost` | `Lost` |
///
/// - A completion may come after its lease. Record it unless another attempt took the identity: the handler did run.
/// - Completing twice under one token succeeds, so that [`Once`](crate::Once) can repeat a completion whose answer was lost.
/// - Times are the store's own: measure a lease from the call's arrival, with a clock that all users of the store share
///   (Redis expiry, the database's `now`), never with a time of day that the caller sends.
/// - Accept durations of any length. One that is too long for the store counts as the longest it supports; one that is too
///   short, as the shortest.
/// - A caller may drop the future of a call at any await. The call then takes effect wholly or not at all, and a later
///   call must find the store as usable as before.
/// - No time limit is needed: `Once` has one.
///
/// [`conformance::check`](crate::conformance) (feature `conformance`) tests all of this. You may write a method as an `async fn`
/// if its future is `Send`.
pub trait Store: Send + Sync + 'static {
    /// Holds the identity for `lease`, unless it is held or done.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from answering. The claim may or may not have been granted.
    fn claim(
        &self,
        claim: Claim,
        lease: Duration,
    ) -> impl Future<Output = Result<ClaimAnswer, StoreError>> + Send;

    /// Remembers the identity as done for `keep_for`, unless another attempt holds it or completed it.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from answering. The identity may or may not be done.
    fn complete(
        &self,
        claim: Claim,
        keep_for: Duration,
    ) -> impl Future<Output = Result<Fence, StoreError>> + Send;

    /// Holds the identity for `lease` from now, unless another attempt holds it or it is done.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from answering. The old lease or the new one may hold.
    fn extend(&self, claim: Claim, lease: Duration)
    -> impl Future<Output = Result<Fence, StoreError>> + Send;

    /// Gives the identity up, so that the next attempt is granted at once. It never forgets a done identity.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from answering. The identity may still be held until its lease runs out.
    fn release(&self, claim: Claim) -> impl Future<Output = Result<Fence, StoreError>> + Send;
}

/// A store's answer to [`Store::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// The claim holds the identity.
    Granted,
    /// Another attempt holds the identity.
    InProgress {
        /// How much of its lease is left, if the store knows without another call.
        lease_left: Option<Duration>,
    },
    /// The delivery was handled.
    Done,
}

/// A store's answer to a call that only the holder may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a lost claim means that another attempt may have handled the delivery as well"]
pub enum Fence {
    /// The call took effect.
    Passed,
    /// The claim no longer holds the identity: the lease ran out and another attempt took over. Nothing changed.
    Lost,
}

impl<S: Store> Store for Arc<S> {
    fn claim(
        &self,
        claim: Claim,
        lease: Duration,
    ) -> impl Future<Output = Result<ClaimAnswer, StoreError>> + Send {
        (**self).claim(claim, lease)
    }

    fn complete(
        &self,
        claim: Claim,
        keep_for: Duration,
    ) -> impl Future<Output = Result<Fence, StoreError>> + Send {
        (**self).complete(claim, keep_for)
    }

    fn extend(
        &self,
        claim: Claim,
        lease: Duration,
    ) -> impl Future<Output = Result<Fence, StoreError>> + Send {
        (**self).extend(claim, lease)
    }

    fn release(&self, claim: Claim) -> impl Future<Output = Result<Fence, StoreError>> + Send {
        (**self).release(claim)
    }
}
