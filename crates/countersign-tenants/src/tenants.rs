use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use countersign::{Choice, ChooseVerifier, Headers, NoTenant, Rejection, Verifier, VerifierSource};
use futures_util::FutureExt;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    time::{Instant, timeout_at},
};

use crate::{
    NameFrom,
    cache::{Answer, Cache, Cached, Joined, Refused, Started},
    failure::Failure,
    log,
    resolve::AnyResolver,
    settings::Settings,
};

/// Waiting requests leave a late lookup this much time to say for itself that it is late.
const GRACE: Duration = Duration::from_millis(100);

/// The verifiers of many tenants, looked up by the head of each request and cached. Clones share the cache.
///
/// Both adapters' guards take it in place of a verifier. The [crate's documentation](crate) says what is promised.
#[derive(Clone)]
pub struct Tenants(Arc<Shared>);

struct Shared {
    name: NameFrom,
    resolver: Arc<dyn AnyResolver>,
    cache: Arc<Cache>,
    /// A place for each lookup that runs.
    places: Semaphore,
    settings: Settings,
    unnamed: Verifier,
    unknown: Verifier,
}

impl Tenants {
    pub(crate) fn from_settings(
        name: NameFrom,
        resolver: Arc<dyn AnyResolver>,
        stand_in: &Verifier,
        settings: Settings,
    ) -> Self {
        Self(Arc::new(Shared {
            name,
            resolver,
            cache: Arc::new(Cache::new(&settings)),
            places: Semaphore::new(settings.concurrent_lookups),
            unnamed: stand_in.for_no_tenant(NoTenant::Unnamed),
            unknown: stand_in.for_no_tenant(NoTenant::Unknown),
            settings,
        }))
    }

    /// Forgets what is cached of this tenant: after it was revoked or added, or its keys changed. The next request looks it up.
    ///
    /// It takes effect before it returns. A lookup that is under way answers the requests that wait for it, and is then
    /// forgotten too. A request whose head has passed already ends with the keys that it began with.
    ///
    /// Other processes have caches of their own. Tell them as well, or let theirs run out.
    pub fn invalidate(&self, tenant: &str) {
        self.0.cache.forget(tenant);
    }

    /// Forgets what is cached of every tenant.
    pub fn invalidate_all(&self) {
        self.0.cache.forget_all();
    }

    /// How much is cached, to see that the limits fit.
    pub fn cached(&self) -> Cached {
        self.0.cache.count()
    }

    fn verdict(&self, answer: Answer) -> Result<Verifier, Rejection> {
        match answer {
            Answer::Known(verifier) => Ok(verifier),
            Answer::Refused(Refused::Unknown) => Ok(self.0.unknown.clone()),
            Answer::Refused(Refused::Failed) => Err(self.0.unknown.tenant_unresolved()),
        }
    }

    /// Looks a tenant up that is not cached.
    fn look_up(&self, tenant: &str) -> Choice {
        let failed = || Choice::Now(self.verdict(Answer::Refused(Refused::Failed)));
        let Ok(runtime) = Handle::try_current() else {
            log::failed(tenant, &Failure::NoRuntime);
            return failed();
        };
        let until = Instant::now().checked_add(self.0.settings.lookup_timeout);
        let until = until.unwrap_or_else(Instant::now);
        let answer = match self.0.cache.join(tenant) {
            Joined::Answered(answer) => return Choice::Now(self.verdict(answer)),
            Joined::Waiting(answer) => answer,
            Joined::Started(started, answer) => {
                // In a task of its own: the client that came first may go away, and others wait.
                runtime.spawn(self.clone().run(started, until));
                answer
            }
            Joined::Full => {
                log::failed(tenant, &Failure::TooMany(self.0.settings.most_lookups()));
                return failed();
            }
        };
        Choice::Later(Box::pin(self.clone().wait(answer, until)))
    }

    async fn wait(
        self,
        mut answer: watch::Receiver<Option<Answer>>,
        until: Instant,
    ) -> Result<Verifier, Rejection> {
        // Without a limit of its own, it would wait as long as a resolver that blocks its thread.
        let until = until.checked_add(GRACE).unwrap_or(until);
        let answered = timeout_at(until, answer.wait_for(Option::is_some)).await;
        let answer = answered.ok().and_then(Result::ok).and_then(|answer| answer.clone());
        self.verdict(answer.unwrap_or(Answer::Refused(Refused::Failed)))
    }

    async fn run(self, started: Started, until: Instant) {
        let tenant = Arc::clone(&started.tenant);
        #[cfg(feature = "metrics")]
        let began = Instant::now();
        let resolved = timeout_at(until, self.resolve(&tenant)).await;
        let resolved = resolved.unwrap_or(Err(Failure::TimedOut(self.0.settings.lookup_timeout)));
        #[cfg(feature = "metrics")]
        crate::metrics::looked_up(&resolved, began.elapsed());
        started.answer(match resolved {
            Ok(Some(verifier)) => Answer::Known(verifier.for_tenant(tenant)),
            Ok(None) => {
                log::unknown(&tenant);
                Answer::Refused(Refused::Unknown)
            }
            Err(failure) => {
                log::failed(&tenant, &failure);
                Answer::Refused(Refused::Failed)
            }
        });
    }

    async fn resolve(&self, tenant: &Arc<str>) -> Result<Option<Verifier>, Failure> {
        let Ok(_place) = self.0.places.acquire().await else { return Err(Failure::NoRuntime) };
        let (resolver, tenant) = (Arc::clone(&self.0.resolver), Arc::clone(tenant));
        // A resolver may panic before it returns its future, too.
        let resolving = AssertUnwindSafe(async move { resolver.resolve(tenant).await });
        match resolving.catch_unwind().await {
            Ok(resolved) => resolved.map_err(Failure::Resolver),
            Err(_) => Err(Failure::Panicked),
        }
    }
}

impl ChooseVerifier for Tenants {
    fn choose(&self, head: &dyn Headers) -> Choice {
        let shared = &self.0;
        let Some(tenant) = shared.name.read(head, shared.settings.longest_name) else {
            return Choice::Now(Ok(shared.unnamed.clone()));
        };
        match shared.cache.get(&tenant) {
            Some(answer) => Choice::Now(self.verdict(answer)),
            None => self.look_up(&tenant),
        }
    }
}

impl From<Tenants> for VerifierSource {
    fn from(tenants: Tenants) -> Self {
        Self::chosen_by(tenants)
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("name", &self.0.name)
            .field("cache", &self.0.cache)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
