//! The rule: each delivery once.

use std::{fmt, sync::Arc, time::Duration};

use countersign::{Identity, Scheme};
use tokio::runtime::Handle;

use crate::{
    BuildError, Claim, ClaimAnswer, Decision, Running, StoreError,
    call::{AnyStore, Call, within},
    claim::Tokens,
    end::End,
    log,
    measure::{Method, Sender},
    settings::{Settings, WhenUnavailable},
    shared::Shared,
};

/// Decides for each attempt at a delivery whether the handler runs. Cheap to clone; all clones share the store.
#[derive(Clone)]
pub struct Once(Arc<Shared>);

impl Once {
    pub(crate) fn from_settings(store: Arc<dyn AnyStore>, settings: Settings) -> Result<Self, BuildError> {
        let tokens = Tokens::new().map_err(|failure| BuildError::Randomness(failure.into()))?;
        Ok(Self(Arc::new(Shared { store, settings, tokens })))
    }

    /// Claims the delivery and decides whether the handler runs.
    ///
    /// `retries_for` is how long its sender may send it again; `None` counts as
    /// [`DEFAULT_RETRIES_FOR`](crate::DEFAULT_RETRIES_FOR). [`OnceBuilder::keep_for`](crate::OnceBuilder::keep_for) overrides it.
    ///
    /// Call it after the signature is verified, never before: anyone who can claim identities can make the receiver ignore
    /// deliveries.
    ///
    /// You may drop the future at any time. If the store grants the claim after that, it is released
    /// [in the background](crate#cancellation).
    pub async fn begin(&self, identity: Identity, retries_for: Option<Duration>) -> Decision {
        self.decide(Sender::unknown(), identity, retries_for).await
    }

    /// Like [`begin`](Self::begin), for a delivery that this scheme verified: its retry horizon is how long the sender may send the
    /// delivery again, and its name is the label `sender` of the metrics (feature `metrics`).
    pub fn begin_from<'a>(
        &'a self,
        scheme: &Scheme,
        identity: Identity,
    ) -> impl Future<Output = Decision> + Send + use<'a> {
        self.decide(Sender::named(scheme.name()), identity, Some(scheme.retry_horizon()))
    }

    async fn decide(&self, sender: Sender, identity: Identity, retries_for: Option<Duration>) -> Decision {
        let shared = &self.0;
        let claim = Claim::new(identity, shared.tokens.next());
        let runtime = Handle::try_current().ok();
        let decision = match Claiming::new(shared, claim, runtime.as_ref()).answer().await {
            Ok(ClaimAnswer::Granted) => {
                let keep_for = shared.settings.keep_for(retries_for);
                Decision::Handle(Running::claimed(
                    Arc::clone(shared),
                    sender.clone(),
                    claim,
                    keep_for,
                    runtime,
                ))
            }
            Ok(ClaimAnswer::InProgress { lease_left }) => Decision::InProgress { lease_left },
            Ok(ClaimAnswer::Done) => Decision::Duplicate,
            Err(failure) => match shared.settings.when_unavailable {
                WhenUnavailable::Refuse => Decision::Unavailable(failure),
                WhenUnavailable::GoOn => Decision::Handle(Running::unguarded(failure)),
            },
        };
        log::decided(&identity, decision.outcome(), decision.failure());
        sender.decided(decision.outcome());
        decision
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// A claim that the store has not answered. Dropped before the answer, it sees to it that the claim does not stay.
struct Claiming<'a> {
    shared: &'a Arc<Shared>,
    claim: Claim,
    runtime: Option<&'a Handle>,
    call: Option<Call<ClaimAnswer>>,
    answered: bool,
}

impl<'a> Claiming<'a> {
    fn new(shared: &'a Arc<Shared>, claim: Claim, runtime: Option<&'a Handle>) -> Self {
        let call = Arc::clone(&shared.store).claim(claim, shared.settings.lease);
        Self { shared, claim, runtime, call: Some(call), answered: false }
    }

    async fn answer(mut self) -> Result<ClaimAnswer, StoreError> {
        let limit = self.shared.settings.store_timeout;
        let timed_out = Err(StoreError::timed_out(limit));
        let Some(call) = &mut self.call else { return timed_out };
        let Some(answer) = within(limit, Method::claim(), call).await else { return timed_out };
        self.call = None;
        self.answered = answer.is_ok();
        answer
    }
}

impl Drop for Claiming<'_> {
    fn drop(&mut self) {
        if let (false, Some(runtime)) = (self.answered, self.runtime) {
            runtime.spawn(abandon(Arc::clone(self.shared), self.claim, self.call.take()));
        }
    }
}

/// Waits for the answer to a claim that nobody wants any more, if it is still to come, and releases the claim. It tries each
/// once: a store that is away gets no queue of these.
async fn abandon(shared: Arc<Shared>, claim: Claim, call: Option<Call<ClaimAnswer>>) {
    let limit = shared.settings.store_timeout;
    if let Some(mut call) = call
        && let Some(Ok(ClaimAnswer::InProgress { .. } | ClaimAnswer::Done)) =
            within(limit, Method::claim(), &mut call).await
    {
        return;
    }
    let mut release = Arc::clone(&shared.store).end(claim, End::Release);
    let answer = within(limit, Method::of(End::Release), &mut release)
        .await
        .unwrap_or_else(|| Err(StoreError::timed_out(limit)));
    log::ended(&claim, End::Release, &answer);
}
