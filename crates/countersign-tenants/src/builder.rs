use std::{fmt, sync::Arc, time::Duration};

use countersign::Verifier;

use crate::{BuildError, NameFrom, ResolveTenant, Tenants, resolve::AnyResolver, settings::Settings};

/// The longest of the times: the cache cannot count much further than a thousand years.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Sets up [`Tenants`]. The defaults suit a database nearby and some thousand tenants.
#[must_use = "a builder looks nothing up until it is built"]
pub struct TenantsBuilder {
    name: NameFrom,
    resolver: Arc<dyn AnyResolver>,
    stand_in: Verifier,
    settings: Settings,
}

impl Tenants {
    /// Starts with where the name of the tenant is, what looks its verifier up, and a stand-in for it.
    ///
    /// A delivery to no tenant, or to an unknown one, is checked by the `stand_in`, whatever keys that has, and then rejected. So it
    /// takes the same way as a delivery with a wrong signature. Give the stand-in the scheme, the number of keys and the body
    /// limit that your tenants have; nobody needs to know its secret.
    pub fn builder(name: NameFrom, resolver: impl ResolveTenant, stand_in: Verifier) -> TenantsBuilder {
        TenantsBuilder::new(name, resolver, stand_in)
    }
}

impl TenantsBuilder {
    pub(crate) fn new(name: NameFrom, resolver: impl ResolveTenant, stand_in: Verifier) -> Self {
        let settings = Settings {
            ttl: Duration::from_secs(60),
            unknown_ttl: Duration::from_secs(5),
            failure_ttl: Duration::from_secs(1),
            lookup_timeout: Duration::from_secs(2),
            concurrent_lookups: 32,
            most_tenants: 10_000,
            most_refused: 10_000,
            longest_name: 128,
        };
        Self { name, resolver: Arc::new(resolver), stand_in, settings }
    }

    /// How long a tenant's verifier is used before it is looked up again; 60 seconds by default.
    ///
    /// A tenant that was revoked or whose keys changed is accepted for that long, and for the time of one lookup, unless you
    /// [invalidate](Tenants::invalidate) it. It is also how long a tenant's deliveries go on if the resolver fails.
    pub fn ttl(mut self, time: Duration) -> Self {
        self.settings.ttl = time;
        self
    }

    /// How long a name is remembered as unknown; 5 seconds by default. A tenant that was added gets a 401 for that long, if somebody
    /// asked for it before and you do not [invalidate](Tenants::invalidate) it.
    pub fn unknown_ttl(mut self, time: Duration) -> Self {
        self.settings.unknown_ttl = time;
        self
    }

    /// How long requests of a tenant whose lookup failed get a 503 without another lookup; 1 second by default. It keeps a flood
    /// away from a resolver that is down.
    pub fn failure_ttl(mut self, time: Duration) -> Self {
        self.settings.failure_ttl = time;
        self
    }

    /// How long a lookup may take, its wait for a turn included; 2 seconds by default. It then counts as failed.
    ///
    /// Choose it well below the time after which the sender gives up on the request.
    pub fn lookup_timeout(mut self, time: Duration) -> Self {
        self.settings.lookup_timeout = time;
        self
    }

    /// How many lookups run at one time; 32 by default. 1,024 more wait for their turn, and beyond that requests of tenants that
    /// are not cached get a 503.
    ///
    /// A request with a made-up name costs a lookup, so this bounds what a flood can do to your database.
    pub fn concurrent_lookups(mut self, number: usize) -> Self {
        self.settings.concurrent_lookups = number;
        self
    }

    /// How many tenants' verifiers are cached; 10,000 by default. Each takes 1 to 2 KiB. Only names that the resolver
    /// knows take up room here.
    pub fn most_tenants(mut self, number: u64) -> Self {
        self.settings.most_tenants = number;
        self
    }

    /// How many unknown names are remembered, each with some hundred bytes; 10,000 by default.
    pub fn most_refused(mut self, number: u64) -> Self {
        self.settings.most_refused = number;
        self
    }

    /// The longest name of a tenant, in bytes; 128 by default. A request with a longer one names no tenant.
    pub fn longest_name(mut self, bytes: usize) -> Self {
        self.settings.longest_name = bytes;
        self
    }

    /// Checks everything and builds the tenants.
    ///
    /// # Errors
    /// A [`BuildError`] for a path pattern or a header name that is none, for a timeout, a longest name or a number of lookups of zero,
    /// and for a time longer than a year.
    pub fn build(self) -> Result<Tenants, BuildError> {
        let Self { name, resolver, stand_in, settings } = self;
        let nonzero = [
            ("lookup_timeout", settings.lookup_timeout.is_zero()),
            ("concurrent_lookups", settings.concurrent_lookups == 0),
            ("longest_name", settings.longest_name == 0),
        ];
        let times = [
            ("ttl", settings.ttl),
            ("unknown_ttl", settings.unknown_ttl),
            ("failure_ttl", settings.failure_ttl),
            ("lookup_timeout", settings.lookup_timeout),
        ];
        if let Some((setting, _)) = nonzero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(BuildError::Setting { setting, mistake: "is zero: nothing could be looked up" });
        }
        if let Some((setting, _)) = times.into_iter().find(|(_, time)| *time > LONGEST) {
            return Err(BuildError::Setting { setting, mistake: "is longer than a year" });
        }
        if settings.concurrent_lookups > tokio::sync::Semaphore::MAX_PERMITS {
            return Err(BuildError::Setting { setting: "concurrent_lookups", mistake: "is too large" });
        }
        Ok(Tenants::from_settings(name.checked()?, resolver, &stand_in, settings))
    }
}

impl fmt::Debug for TenantsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantsBuilder")
            .field("name", &self.name)
            .field("stand_in", &self.stand_in)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
