//! Explains why a delivery is rejected, for operators (feature `explain`).

pub(crate) mod advice;
pub(crate) mod hypothesis;

pub(crate) mod cause;
pub(crate) mod head;

pub(crate) mod address;
pub(crate) mod json;

pub(crate) mod body;
pub(crate) mod secret;
pub(crate) mod signed;

pub(crate) mod explanation;
pub(crate) mod probe;
pub(crate) mod search;

use std::{fmt, time::SystemTime};

use self::{
    explanation::Explanation,
    search::{Search, suspicions},
};
use crate::{
    explain::{cause::Cause, head::Head, hypothesis::Hypothesis},
    keys::{
        key::{Key, KeyId},
        secret::Secret,
    },
    verdicts::kind::RejectionKind,
    verifying::verifier::Verifier,
    wire::headers::Headers,
};

/// Explains why a verifier rejects a delivery, by undoing what goes wrong in practice until the signature matches.
///
/// A verifier keeps no secret's text, so give the explainer the secrets as you hold them, and any other that the sender may
/// have used. Keep it out of a request's path: one explanation tries thousands of signatures. Its work is bounded: at most
/// 256 MiB are hashed; a body over 1 MiB is only tried as it is, and one over 256 KiB is not written anew as JSON.
///
/// An explanation verifies once more, so the verifier logs and counts the delivery again.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{Explainer, Hypothesis, Secret, Verifier, senders};
///
/// let secret = Secret::new("secret123\n").dangerously_accept_placeholder(); // a public sample
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", secret.clone()).build()?;
/// let explainer = Explainer::new(&verifier).secret("2026-q1", secret);
///
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
/// let explanation = explainer.explain(&headers, b"{'test':'test2'}", SystemTime::now());
/// assert_eq!(explanation.causes()[0].hypothesis(), Hypothesis::SecretPadded);
/// # Ok::<(), countersign::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "call `explain` with a delivery"]
pub struct Explainer {
    verifier: Verifier,
    keys: Vec<Key>,
}

/// Limit on the keys of one explanation.
const MOST_KEYS: usize = 32;

impl Explainer {
    /// Starts an explainer of this verifier's rejections.
    pub fn new(verifier: &Verifier) -> Self {
        Self { verifier: verifier.clone(), keys: Vec::new() }
    }

    /// Adds a secret that the sender may have used, under the id that the explanation shows. The first 32 keys are tried.
    pub fn secret(self, id: impl Into<KeyId>, secret: Secret) -> Self {
        self.key(Key::secret(id, secret))
    }

    /// Adds a key that the sender may have used. Its instants are ignored.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Explains the verdict on a delivery: its head, the bytes of its body as the verifier saw them, and the time at which it
    /// arrived.
    pub fn explain(&self, head: &(impl Headers + ?Sized), body: &[u8], now: SystemTime) -> Explanation {
        let rejection = match self.verifier.verify(head, body, now) {
            Ok(verified) => {
                let key = Some(verified.key().clone());
                return Explanation { rejection: None, causes: Vec::new(), key, is_complete: true };
            }
            Err(rejection) => rejection,
        };
        let keys = self.keys.get(..MOST_KEYS).unwrap_or(&self.keys);
        let head = Head { headers: head, target: None };
        let mut search = Search::new(&head, body, now);
        let schemes =
            rejection.scheme().map_or_else(|| self.verifier.schemes().collect(), |scheme| vec![scheme]);
        let found = schemes.iter().find_map(|scheme| search.find(scheme, keys));
        let scheme = schemes.first().copied();
        let timing = scheme.and_then(|scheme| search.timing(scheme, keys, rejection.kind()));
        let is_complete = search.is_complete();
        let key = found.as_ref().map(|found| found.key.clone());
        let mut causes = found.map(|found| found.causes).unwrap_or_default();
        if let Some(timing) = timing
            && causes.iter().all(|cause| cause.hypothesis() != timing)
        {
            causes.insert(0, timing.into());
        }
        if key.is_none() {
            causes.extend(
                scheme.into_iter().flat_map(|scheme| suspicions(scheme, &head, body, rejection.kind())),
            );
        }
        if causes.is_empty() && rejection.kind() == RejectionKind::SignatureMismatch {
            causes.push(match &key {
                Some(key) => Cause::new(Hypothesis::AnotherKey, key.as_str()),
                None if keys.is_empty() => Hypothesis::NoKeyGiven.into(),
                None => Hypothesis::Unknown.into(),
            });
        }
        Explanation { rejection: Some(rejection), causes, key, is_complete }
    }
}

impl fmt::Debug for Explainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&KeyId> = self.keys.iter().map(|key| &key.id).collect();
        f.debug_struct("Explainer").field("verifier", &self.verifier).field("keys", &keys).finish()
    }
}
