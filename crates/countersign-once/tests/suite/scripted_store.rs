//! A store that does what a script says, over a store that works.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_once::{Claim, ClaimAnswer, Fence, MemoryStore, Store, StoreError};
use tokio::{task::yield_now, time::sleep};

/// How one call goes. The default: it takes effect and answers at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) before: Wait,
    /// The call never reaches the store.
    pub(crate) without_effect: bool,
    pub(crate) after: Wait,
    /// The answer is lost.
    pub(crate) fails: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Wait {
    #[default]
    No,
    Yields(usize),
    Sleeps(Duration),
    ForEver,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ScriptedStore {
    pub(crate) inner: MemoryStore,
    script: Arc<Mutex<VecDeque<Step>>>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl ScriptedStore {
    pub(crate) fn new(script: impl IntoIterator<Item = Step>) -> Self {
        let script = Arc::new(Mutex::new(script.into_iter().collect()));
        Self { script, ..Self::default() }
    }

    /// The calls that began, in their order.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    async fn follow<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.calls.lock().unwrap().push(name);
        let step = self.script.lock().unwrap().pop_front().unwrap_or_default();
        step.before.wait().await;
        let answer = if step.without_effect { None } else { Some(call.await) };
        step.after.wait().await;
        match answer {
            Some(answer) if !step.fails => answer,
            _ => Err(StoreError::new("as the script says")),
        }
    }
}

impl Wait {
    async fn wait(self) {
        match self {
            Self::No => {}
            Self::Yields(times) => {
                for _ in 0..times {
                    yield_now().await;
                }
            }
            Self::Sleeps(time) => sleep(time).await,
            Self::ForEver => pending().await,
        }
    }
}

impl Store for ScriptedStore {
    async fn claim(&self, claim: Claim, lease: Duration) -> Result<ClaimAnswer, StoreError> {
        self.follow("claim", self.inner.claim(claim, lease)).await
    }

    async fn complete(&self, claim: Claim, keep_for: Duration) -> Result<Fence, StoreError> {
        self.follow("complete", self.inner.complete(claim, keep_for)).await
    }

    async fn extend(&self, claim: Claim, lease: Duration) -> Result<Fence, StoreError> {
        self.follow("extend", self.inner.extend(claim, lease)).await
    }

    async fn release(&self, claim: Claim) -> Result<Fence, StoreError> {
        self.follow("release", self.inner.release(claim)).await
    }
}
