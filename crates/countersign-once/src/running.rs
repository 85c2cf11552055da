//! A handler that runs.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use crate::{
    Claim, Fence, Outcome, StoreError,
    call::{Call, within},
    end::End,
    log,
    measure::{Method, Sender},
    shared::Shared,
};

/// The delay before the background repeats what the store failed to do, doubled each time up to [`LONGEST_DELAY`].
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A handler's permission to run, and its claim on the delivery.
///
/// End it with [`complete`](Self::complete) after the handler has done its work, or with [`release`](Self::release) if the
/// sender should repeat the delivery. Dropping it instead (in a panic, by a cancelled request) releases the claim
/// [in the background](crate#cancellation).
#[must_use = "dropping it gives the delivery up"]
pub struct Running(Inner);

enum Inner {
    Claimed(Claimed),
    Unguarded(StoreError),
}

impl Running {
    pub(crate) fn claimed(
        shared: Arc<Shared>,
        sender: Sender,
        claim: Claim,
        keep_for: Duration,
        runtime: Option<Handle>,
    ) -> Self {
        Self(Inner::Claimed(Claimed {
            shared,
            sender,
            claim,
            keep_for,
            runtime,
            end: Some(End::Release),
            call: None,
        }))
    }

    pub(crate) fn unguarded(failure: StoreError) -> Self {
        Self(Inner::Unguarded(failure))
    }

    /// [`Outcome::New`] or [`Outcome::Unguarded`].
    pub fn outcome(&self) -> Outcome {
        match self.0 {
            Inner::Claimed(_) => Outcome::New,
            Inner::Unguarded(_) => Outcome::Unguarded,
        }
    }

    /// The claim, for a handler that completes it in its own transaction (feature `sqlite` or `postgres`). `None` if the handler
    /// runs unguarded.
    pub fn claim(&self) -> Option<Claim> {
        match &self.0 {
            Inner::Claimed(claimed) => Some(claimed.claim),
            Inner::Unguarded(_) => None,
        }
    }

    /// How long the store will remember the delivery once it is complete. `None` if the handler runs unguarded.
    pub fn keep_for(&self) -> Option<Duration> {
        match &self.0 {
            Inner::Claimed(claimed) => Some(claimed.keep_for),
            Inner::Unguarded(_) => None,
        }
    }

    /// Why the handler runs unguarded, if it does.
    pub fn failure(&self) -> Option<&StoreError> {
        match &self.0 {
            Inner::Claimed(_) => None,
            Inner::Unguarded(failure) => Some(failure),
        }
    }

    /// Remembers the delivery as handled.
    ///
    /// Answer the sender with success whatever this returns: the handler did run. If you drop the future after its first poll, or
    /// if the store fails, a background task goes on completing for as long as a lease. For an unguarded handler, it does
    /// nothing and returns `Passed`.
    ///
    /// # Errors
    ///
    /// The store failed or gave no answer in time. Unless the background succeeds, a retry is handled again once the lease
    /// has run out.
    pub async fn complete(self) -> Result<Fence, StoreError> {
        match self.0 {
            Inner::Claimed(claimed) => {
                let end = End::Complete(claimed.keep_for);
                claimed.end(end).await
            }
            Inner::Unguarded(_) => Ok(Fence::Passed),
        }
    }

    /// Gives the delivery up, so that the sender's next attempt is handled at once.
    ///
    /// If you drop the future, or if the store fails, a background task goes on releasing for as long as a lease. For an unguarded
    /// handler, it does nothing and returns `Passed`.
    ///
    /// # Errors
    ///
    /// The store failed or gave no answer in time. Unless the background succeeds, retries are refused until the lease has
    /// run out.
    pub async fn release(self) -> Result<Fence, StoreError> {
        match self.0 {
            Inner::Claimed(claimed) => claimed.end(End::Release).await,
            Inner::Unguarded(_) => Ok(Fence::Passed),
        }
    }

    /// Holds the delivery for `lease` from now, for a handler that takes longer than the first lease. `Lost` means that another
    /// attempt took over: stop. For an unguarded handler, it does nothing and returns `Passed`.
    ///
    /// # Errors
    ///
    /// The store failed or gave no answer in time. The claim may still end with the old lease.
    pub async fn extend(&mut self, lease: Duration) -> Result<Fence, StoreError> {
        let Inner::Claimed(claimed) = &self.0 else { return Ok(Fence::Passed) };
        let limit = claimed.shared.settings.store_timeout;
        let mut call = Arc::clone(&claimed.shared.store).extend(claimed.claim, lease);
        within(limit, Method::extend(), &mut call).await.unwrap_or_else(|| Err(StoreError::timed_out(limit)))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("claim", &self.claim())
            .field("failure", &self.failure())
            .finish_non_exhaustive()
    }
}

/// A granted claim. Dropped before it has ended, the background ends it.
struct Claimed {
    shared: Arc<Shared>,
    sender: Sender,
    claim: Claim,
    keep_for: Duration,
    runtime: Option<Handle>,
    /// What is still to be done about the claim.
    end: Option<End>,
    /// The call of the store that does it, if it has begun.
    call: Option<Call<Fence>>,
}

impl Claimed {
    async fn end(mut self, end: End) -> Result<Fence, StoreError> {
        let limit = self.shared.settings.store_timeout;
        self.end = Some(end);
        let call = self.call.insert(Arc::clone(&self.shared.store).end(self.claim, end));
        let Some(answer) = within(limit, Method::of(end), call).await else {
            return Err(StoreError::timed_out(limit));
        };
        self.call = None;
        if let Ok(fence) = &answer {
            self.end = None;
            self.sender.ended(end, *fence);
        }
        log::ended(&self.claim, end, &answer);
        answer
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let Some(end) = self.end else { return };
        let Some(runtime) = &self.runtime else { return self.sender.gave_up() };
        let (shared, sender) = (Arc::clone(&self.shared), self.sender.clone());
        runtime.spawn(end_in_background(shared, sender, self.claim, end, self.call.take()));
    }
}

/// Ends a claim, again and again until the store answers or as long as a lease has passed.
async fn end_in_background(
    shared: Arc<Shared>,
    sender: Sender,
    claim: Claim,
    end: End,
    begun: Option<Call<Fence>>,
) {
    let limit = shared.settings.store_timeout;
    let started = Instant::now();
    let mut delay = FIRST_DELAY;
    let mut begun = begun;
    loop {
        let mut call = begun.take().unwrap_or_else(|| Arc::clone(&shared.store).end(claim, end));
        let answer = within(limit, Method::of(end), &mut call)
            .await
            .unwrap_or_else(|| Err(StoreError::timed_out(limit)));
        log::ended(&claim, end, &answer);
        if let Ok(fence) = answer {
            return sender.ended(end, fence);
        }
        if started.elapsed().saturating_add(delay) >= shared.settings.lease {
            return sender.gave_up();
        }
        sleep(delay).await;
        delay = delay.saturating_mul(2).min(LONGEST_DELAY);
    }
}
