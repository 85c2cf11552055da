use std::time::Duration;

use countersign_once::{Claim, Running};

/// The claim under which a handler runs, for a handler that completes it in an SQL transaction of its own.
///
/// [`HandleOnce`](crate::HandleOnce) puts it into the request's extensions. With the feature `axum` it is an extractor:
///
/// - The handler runs only with a claim. If the store is away and [`Once`](countersign_once::Once) is set to go on, the caller
///   gets a 503, because nothing can be completed without one.
/// - If no [`HandleOnceLayer`](crate::HandleOnceLayer) ran, the caller gets a 500 and the log gets an error that names the
///   mistake (feature `tracing`).
///
/// Pass [`claim`](Self::claim) and [`keep_for`](Self::keep_for) to `SqlStore::complete_in`. Once that transaction is
/// committed, the delivery is handled whatever the handler answers. So answer with success after the commit: the sender
/// repeats a delivery that gets an error, and that retry is a duplicate.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # mod example {
/// use axum::http::StatusCode;
/// use countersign_tower::OnceClaim;
///
/// async fn order(claim: OnceClaim) -> StatusCode {
///     println!("{} will be remembered for {:?}", claim.claim().identity(), claim.keep_for());
///     StatusCode::OK
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OnceClaim {
    claim: Claim,
    keep_for: Duration,
}

impl OnceClaim {
    /// `None` if the handler runs unguarded.
    pub(crate) fn of(running: &Running) -> Option<Self> {
        Some(Self { claim: running.claim()?, keep_for: running.keep_for()? })
    }

    /// Which delivery it is, and the token of this attempt.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// How long the store must remember the delivery.
    pub fn keep_for(&self) -> Duration {
        self.keep_for
    }
}
