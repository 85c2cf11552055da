//! Calls of the store, with the store's type erased.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::runtime::Handle;

use crate::{
    Claim, ClaimAnswer, Fence, Store, StoreError,
    end::End,
    measure::{Method, Wait},
};

/// A call of the store that can outlive its caller.
pub(crate) type Call<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A [`Store`] as an object.
pub(crate) trait AnyStore: Send + Sync {
    fn claim(self: Arc<Self>, claim: Claim, lease: Duration) -> Call<ClaimAnswer>;
    fn extend(self: Arc<Self>, claim: Claim, lease: Duration) -> Call<Fence>;
    fn end(self: Arc<Self>, claim: Claim, end: End) -> Call<Fence>;
}

impl<S: Store> AnyStore for S {
    fn claim(self: Arc<Self>, claim: Claim, lease: Duration) -> Call<ClaimAnswer> {
        Box::pin(async move { Store::claim(&*self, claim, lease).await })
    }

    fn extend(self: Arc<Self>, claim: Claim, lease: Duration) -> Call<Fence> {
        Box::pin(async move { Store::extend(&*self, claim, lease).await })
    }

    fn end(self: Arc<Self>, claim: Claim, end: End) -> Call<Fence> {
        Box::pin(async move {
            match end {
                End::Complete(keep_for) => Store::complete(&*self, claim, keep_for).await,
                End::Release => Store::release(&*self, claim).await,
            }
        })
    }
}

/// Waits for `call`, at most for `limit` where there is a runtime to tell the time. `None` leaves the call as it is, to be
/// waited for again.
pub(crate) async fn within<T>(
    limit: Duration,
    method: Method,
    call: &mut Call<T>,
) -> Option<Result<T, StoreError>> {
    let wait = Wait::begin(method);
    let answer = unmeasured(limit, call).await;
    wait.end(answer.as_ref());
    answer
}

async fn unmeasured<T>(limit: Duration, call: &mut Call<T>) -> Option<Result<T, StoreError>> {
    // An embedded store has its answer at once: no timer for that.
    if let Poll::Ready(answer) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
        return Some(answer);
    }
    if Handle::try_current().is_err() {
        return Some(call.await);
    }
    tokio::time::timeout(limit, call).await.ok()
}
