//! What is known of tenants, and who is finding out.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use countersign::Verifier;
use moka::{Expiry, sync};
use tokio::sync::watch;

use crate::settings::Settings;

/// What a lookup came to.
#[derive(Clone)]
pub(crate) enum Answer {
    Known(Verifier),
    Refused(Refused),
}

#[derive(Clone, Copy)]
pub(crate) enum Refused {
    /// There is no such tenant.
    Unknown,
    /// Nobody can tell.
    Failed,
}

/// What is cached, and the lookups under way.
///
/// Tenants and refusals are kept apart, so that however many names callers make up, they push no tenant out.
pub(crate) struct Cache {
    known: sync::Cache<Arc<str>, Verifier>,
    refused: sync::Cache<Arc<str>, Refused>,
    lookups: Mutex<Lookups>,
    most_lookups: usize,
}

#[derive(Default)]
struct Lookups {
    under_way: HashMap<Arc<str>, Lookup>,
    next: u64,
}

struct Lookup {
    number: u64,
    answer: watch::Receiver<Option<Answer>>,
}

/// How many entries there are: see [`Tenants::cached`](crate::Tenants::cached).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cached {
    /// Tenants whose verifiers are cached.
    pub tenants: u64,
    /// Names that are cached as unknown, or whose lookup failed.
    pub refused: u64,
    /// Lookups that run, or wait for their turn.
    pub lookups: usize,
}

/// Where a request gets its answer from.
pub(crate) enum Joined {
    Answered(Answer),
    /// From a lookup of somebody else.
    Waiting(watch::Receiver<Option<Answer>>),
    /// From this lookup, which the caller has to start.
    Started(Started, watch::Receiver<Option<Answer>>),
    /// Too many lookups are under way.
    Full,
}

/// A lookup to be made. Dropped without an answer, it leaves nothing behind.
pub(crate) struct Started {
    cache: Arc<Cache>,
    pub(crate) tenant: Arc<str>,
    number: u64,
    sender: watch::Sender<Option<Answer>>,
}

impl Cache {
    pub(crate) fn new(settings: &Settings) -> Self {
        let known = sync::Cache::builder().max_capacity(settings.most_tenants).time_to_live(settings.ttl);
        let refused = sync::Cache::builder()
            .max_capacity(settings.most_refused)
            .expire_after(Expire { unknown: settings.unknown_ttl, failed: settings.failure_ttl });
        Self {
            known: known.build(),
            refused: refused.build(),
            lookups: Mutex::default(),
            most_lookups: settings.most_lookups(),
        }
    }

    /// The cached answer. It takes no lock.
    pub(crate) fn get(&self, tenant: &str) -> Option<Answer> {
        let known = self.known.get(tenant).map(Answer::Known);
        known.or_else(|| self.refused.get(tenant).map(Answer::Refused))
    }

    /// Joins the lookup of this tenant, or starts one.
    pub(crate) fn join(self: &Arc<Self>, tenant: &str) -> Joined {
        let mut lookups = self.lookups();
        if let Some(lookup) = lookups.under_way.get(tenant) {
            return Joined::Waiting(lookup.answer.clone());
        }
        // A lookup may have ended since the caller looked.
        if let Some(answer) = self.get(tenant) {
            return Joined::Answered(answer);
        }
        if lookups.under_way.len() >= self.most_lookups {
            return Joined::Full;
        }
        let (sender, answer) = watch::channel(None);
        let (tenant, number) = (Arc::<str>::from(tenant), lookups.next);
        lookups.next = number.wrapping_add(1);
        lookups.under_way.insert(Arc::clone(&tenant), Lookup { number, answer: answer.clone() });
        Joined::Started(Started { cache: Arc::clone(self), tenant, number, sender }, answer)
    }

    /// Forgets the tenant. A lookup under way does not bring it back.
    pub(crate) fn forget(&self, tenant: &str) {
        let mut lookups = self.lookups();
        lookups.under_way.remove(tenant);
        self.known.invalidate(tenant);
        self.refused.invalidate(tenant);
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        let mut lookups = self.lookups();
        lookups.under_way.clear();
        self.known.invalidate_all();
        self.refused.invalidate_all();
    }

    pub(crate) fn count(&self) -> Cached {
        self.known.run_pending_tasks();
        self.refused.run_pending_tasks();
        let lookups = self.lookups().under_way.len();
        Cached { tenants: self.known.entry_count(), refused: self.refused.entry_count(), lookups }
    }

    /// Takes the lookup off the list; `false` if its tenant was forgotten meanwhile.
    fn end(lookups: &mut Lookups, tenant: &str, number: u64) -> bool {
        let is_listed = lookups.under_way.get(tenant).is_some_and(|lookup| lookup.number == number);
        if is_listed {
            lookups.under_way.remove(tenant);
        }
        is_listed
    }

    fn lookups(&self) -> MutexGuard<'_, Lookups> {
        // Nothing in here panics halfway.
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Started {
    /// Keeps the answer, unless the tenant was forgotten meanwhile, and tells all who wait.
    pub(crate) fn answer(self, answer: Answer) {
        {
            // Under the lock: whoever comes next finds either the lookup or its answer.
            let mut lookups = self.cache.lookups();
            if Cache::end(&mut lookups, &self.tenant, self.number) {
                let tenant = Arc::clone(&self.tenant);
                match &answer {
                    Answer::Known(verifier) => self.cache.known.insert(tenant, verifier.clone()),
                    Answer::Refused(refused) => self.cache.refused.insert(tenant, *refused),
                }
            }
        }
        self.sender.send_replace(Some(answer));
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        Cache::end(&mut self.cache.lookups(), &self.tenant, self.number);
    }
}

struct Expire {
    unknown: Duration,
    failed: Duration,
}

impl Expiry<Arc<str>, Refused> for Expire {
    fn expire_after_create(&self, _: &Arc<str>, refused: &Refused, _: Instant) -> Option<Duration> {
        Some(match refused {
            Refused::Unknown => self.unknown,
            Refused::Failed => self.failed,
        })
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("tenants", &self.known.entry_count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Arc<Cache> {
        let long = Duration::from_secs(3600);
        Arc::new(Cache::new(&Settings {
            ttl: long,
            unknown_ttl: long,
            failure_ttl: long,
            lookup_timeout: long,
            concurrent_lookups: 1,
            most_tenants: 10,
            most_refused: 10,
            longest_name: 10,
        }))
    }

    #[test]
    fn who_comes_after_a_lookup_ended_gets_its_answer_and_starts_none() {
        let cache = cache();
        let Joined::Started(started, _) = cache.join("a") else { panic!("it did not start") };
        assert!(matches!(cache.join("a"), Joined::Waiting(_)));
        started.answer(Answer::Refused(Refused::Unknown));
        assert!(matches!(cache.join("a"), Joined::Answered(Answer::Refused(Refused::Unknown))));
    }

    #[test]
    fn a_lookup_that_is_dropped_without_an_answer_leaves_nothing_behind() {
        let cache = cache();
        let Joined::Started(started, _) = cache.join("a") else { panic!("it did not start") };
        drop(started);
        assert_eq!(cache.count().lookups, 0);
        assert!(matches!(cache.join("a"), Joined::Started(..)));
    }

    #[test]
    fn a_forgotten_lookup_neither_keeps_its_answer_nor_ends_the_next_one() {
        let cache = cache();
        let Joined::Started(first, _) = cache.join("a") else { panic!("it did not start") };
        cache.forget("a");
        let Joined::Started(second, _) = cache.join("a") else { panic!("it did not start anew") };
        first.answer(Answer::Refused(Refused::Failed));
        assert!(matches!(cache.join("a"), Joined::Waiting(_)));
        assert!(cache.get("a").is_none());
        second.answer(Answer::Refused(Refused::Unknown));
        assert!(matches!(cache.get("a"), Some(Answer::Refused(Refused::Unknown))));
    }
}
