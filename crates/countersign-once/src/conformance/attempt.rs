use std::{
    fmt::Debug,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::Identity;
use tokio::time::sleep;

use crate::{Claim, ClaimAnswer, Fence, Store, StoreError, claim::Tokens};

/// A lease or keep time that a rule waits for the end of.
pub(super) const SHORT: Duration = Duration::from_millis(500);
/// One that does not end while a rule runs.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// By how much the clocks of the kit and of the store may differ over [`SHORT`].
const ROUNDING: Duration = Duration::from_millis(10);
/// How long after its end a lease may still be in the way.
const GRACE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// What a rule found, in words that go on from "But".
pub(super) type Verdict = Result<(), String>;

/// A store, and claims that nobody made before.
pub(super) struct Bench<S> {
    store: Arc<S>,
    tokens: Arc<Tokens>,
}

impl<S: Store> Bench<S> {
    pub(super) fn new(store: S, tokens: Arc<Tokens>) -> Self {
        Self { store: Arc::new(store), tokens }
    }

    pub(super) fn store(&self) -> &S {
        &self.store
    }

    pub(super) fn identity(&self) -> Identity {
        let mut bytes = [0; 32];
        let (first, second) = bytes.split_at_mut(16);
        first.copy_from_slice(self.tokens.next().as_bytes());
        second.copy_from_slice(self.tokens.next().as_bytes());
        Identity::from_bytes(bytes)
    }

    /// The first attempt at an identity of its own.
    pub(super) fn first(&self) -> Attempt<S> {
        self.attempt("the first attempt", self.identity())
    }

    /// A second attempt at the same identity.
    pub(super) fn second(&self, first: &Attempt<S>) -> Attempt<S> {
        self.attempt("the second attempt", *first.claim.identity())
    }

    pub(super) fn attempt(&self, name: &'static str, identity: Identity) -> Attempt<S> {
        Attempt { store: Arc::clone(&self.store), claim: Claim::new(identity, self.tokens.next()), name }
    }
}

/// One attempt at one identity, whose calls say what they wanted and what they got.
pub(super) struct Attempt<S> {
    store: Arc<S>,
    pub(super) claim: Claim,
    name: &'static str,
}

impl<S: Store> Attempt<S> {
    pub(super) async fn claim(&self, lease: Duration) -> Result<ClaimAnswer, String> {
        self.answer("claims", self.store.claim(self.claim, lease).await)
    }

    pub(super) async fn is_granted(&self, lease: Duration) -> Verdict {
        self.wants("claims", &self.claim(lease).await?, &ClaimAnswer::Granted)
    }

    pub(super) async fn is_done(&self) -> Verdict {
        self.wants("claims", &self.claim(LONG).await?, &ClaimAnswer::Done)
    }

    pub(super) async fn finds_it_in_progress(&self) -> Verdict {
        match self.claim(LONG).await? {
            ClaimAnswer::InProgress { lease_left: Some(left) } if left > LONG => Err(format!(
                "{} claims, and of a lease of {LONG:?} the store says that {left:?} are left",
                self.name
            )),
            ClaimAnswer::InProgress { .. } => Ok(()),
            answer => {
                let in_progress = ClaimAnswer::InProgress { lease_left: None };
                self.wants("claims", &answer, &in_progress)
            }
        }
    }

    pub(super) async fn completes(&self, keep_for: Duration, wanted: Fence) -> Verdict {
        let answer = self.answer("completes", self.store.complete(self.claim, keep_for).await)?;
        self.wants("completes", &answer, &wanted)
    }

    pub(super) async fn extends(&self, lease: Duration, wanted: Fence) -> Verdict {
        let answer = self.answer("extends", self.store.extend(self.claim, lease).await)?;
        self.wants("extends", &answer, &wanted)
    }

    pub(super) async fn releases(&self, wanted: Fence) -> Verdict {
        let answer = self.answer("releases", self.store.release(self.claim).await)?;
        self.wants("releases", &answer, &wanted)
    }

    /// Claims again and again until it is granted, which must not be before [`SHORT`] after `began`, nor long after it.
    /// Until then every answer must be as `before` says.
    pub(super) async fn is_granted_after_short(
        &self,
        began: Instant,
        lease: Duration,
        before: impl Fn(&ClaimAnswer) -> bool,
    ) -> Verdict {
        loop {
            let answer = self.claim(lease).await?;
            let waited = began.elapsed();
            match answer {
                ClaimAnswer::Granted if waited.saturating_add(ROUNDING) < SHORT => {
                    return Err(format!("{} is granted after {waited:?}, of {SHORT:?}", self.name));
                }
                ClaimAnswer::Granted => return Ok(()),
                // The store may find it over between two statements, and then have nothing to say about it but "come again".
                ClaimAnswer::InProgress { lease_left: None }
                    if (SHORT..SHORT.saturating_add(GRACE)).contains(&waited) =>
                {
                    sleep(PAUSE).await;
                }
                answer if !before(&answer) => {
                    return Err(format!(
                        "{} claims after {waited:?}, and the answer is {answer:?}",
                        self.name
                    ));
                }
                answer if waited > SHORT.saturating_add(GRACE) => {
                    return Err(format!(
                        "{} claims {waited:?} after a time of {SHORT:?} began, and the answer is still {answer:?}",
                        self.name
                    ));
                }
                _ => sleep(PAUSE).await,
            }
        }
    }

    fn answer<T>(&self, does: &str, answer: Result<T, StoreError>) -> Result<T, String> {
        answer.map_err(|failure| format!("{} {does}, and {failure}", self.name))
    }

    fn wants<T: Debug + PartialEq>(&self, does: &str, answer: &T, wanted: &T) -> Verdict {
        if answer == wanted {
            return Ok(());
        }
        Err(format!("{} {does}, and the answer is {answer:?} instead of {wanted:?}", self.name))
    }
}

impl<S> Clone for Attempt<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), claim: self.claim, name: self.name }
    }
}
