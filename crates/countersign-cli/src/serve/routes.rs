use std::{collections::HashMap, convert::Infallible, fmt, sync::Arc, time::SystemTime};

use axum::body::Body;
use countersign::{BodyBudget, Linger, Verifier};
use countersign_once::Once;
use countersign_tower::{HandleOnceLayer, VerifiedBody, VerifyWebhookLayer};
use http::{HeaderValue, Method, Request, Response, uri::PathAndQuery};
use hyper::body::Incoming;
use tower::{ServiceBuilder, service_fn, util::BoxCloneSyncService};

use super::{
    accept::Accept,
    address::UpstreamAddress,
    config::{Handling, RouteConfig, ServeConfig, Timeouts},
    facts::Facts,
    forward::Forward,
    mistake::Mistake,
    upstream::Upstream,
};
use crate::{failure::Failure, toml_file::TomlFile};

/// The routes as one configuration has them, by their paths.
pub(crate) struct Routes(HashMap<Arc<str>, Route>);

/// One path.
pub(crate) struct Route {
    pub(crate) path: Arc<str>,
    pub(crate) methods: Vec<Method>,
    pub(crate) upstream: UpstreamAddress,
    verifier: Verifier,
    /// The guard, and what happens to the deliveries that it lets pass.
    pub(crate) service: Guarded,
}

type Guarded = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

/// What routes share, and what stays as it is when they are loaded again.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) upstream: Upstream,
    pub(crate) budget: BodyBudget,
    pub(crate) linger: Linger,
    pub(crate) timeouts: Timeouts,
    pub(crate) trust_forwarded: bool,
    pub(crate) once: Option<Once>,
    pub(crate) inbox: Option<Accept>,
}

/// A route whose fields and keys are checked.
pub(crate) struct Checked {
    path: Arc<str>,
    methods: Vec<Method>,
    upstream: UpstreamAddress,
    handling: Handling,
    verifier: Verifier,
}

impl Routes {
    /// Checks all routes, and reads their keys.
    pub(crate) fn check(file: &TomlFile<ServeConfig>) -> Result<Vec<Checked>, Failure> {
        let config = &file.value;
        if config.routes.is_empty() {
            return Err(file.report_at("route", &"route: there is none: add [[route]]"));
        }
        if let Some(once) = &config.once {
            once.check().map_err(|mistake| file.report_at(&mistake.field, &mistake))?;
        }
        let check = |(place, route): (usize, &RouteConfig)| {
            let earlier = config.routes.iter().take(place);
            Checked::new(config, earlier, route).map_err(|mistake| {
                let mistake = mistake.within(&format!("route[{place}]"));
                file.report_at(&mistake.field, &mistake)
            })
        };
        config.routes.iter().enumerate().map(check).collect()
    }

    pub(crate) fn new(checked: Vec<Checked>, shared: &Shared) -> Self {
        let route = |checked: Checked| (Arc::clone(&checked.path), Route::new(checked, shared));
        Self(checked.into_iter().map(route).collect())
    }

    /// Tells the operator how the keys are, also those of senders that are silent.
    pub(crate) fn report_keys(&self) {
        for route in self.0.values() {
            route.verifier.report_keys(SystemTime::now());
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Route> {
        self.0.get(path)
    }
}

impl Checked {
    fn new<'c>(
        config: &ServeConfig,
        mut earlier: impl Iterator<Item = &'c RouteConfig>,
        route: &RouteConfig,
    ) -> Result<Self, Mistake> {
        let mistake = |field: &str, text: &str| Mistake::new(field, text);
        let path: Option<PathAndQuery> = route.path.parse().ok();
        if !path.is_some_and(|path| {
            path.as_str() == route.path && route.path.starts_with('/') && path.query().is_none()
        }) {
            return Err(mistake(
                "path",
                "this is not the path of an address: write \"/webhooks/acme\", escaped as in the address",
            ));
        }
        if earlier.any(|earlier| earlier.path == route.path) {
            return Err(mistake("path", "another route has this path"));
        }
        let upstream = config
            .upstream_of(route)
            .ok_or_else(|| mistake("upstream", "it is missing: give it here, or once for all routes"))?;
        let methods = route.methods.iter().map(|word| word.parse().ok()).collect::<Option<Vec<Method>>>();
        let methods = methods.filter(|methods| !methods.is_empty() && !methods.contains(&Method::CONNECT));
        let methods =
            methods.ok_or_else(|| mistake("methods", "give at least one HTTP method: [\"POST\"]"))?;
        match route.handling {
            Handling::Once if config.once.is_none() => {
                return Err(mistake("handling", "\"once\" requires the table [once]"));
            }
            Handling::Inbox if config.inbox.is_none() => {
                return Err(mistake("handling", "\"inbox\" requires the table [inbox]"));
            }
            _ => {}
        }
        let verifier =
            route.endpoint().verifier().map_err(|error| Mistake::new(error.path(), message(&error)))?;
        // They become headers.
        let is_header = |text: &str| HeaderValue::from_str(text).is_ok();
        if !verifier.schemes().all(|scheme| is_header(scheme.name())) {
            return Err(mistake("senders", "the name of a scheme must be ASCII"));
        }
        if !verifier.key_ids().all(|key| is_header(key.as_str())) {
            return Err(mistake("senders", "the id of a key must be ASCII"));
        }
        let (path, upstream) = (Arc::from(&*route.path), upstream.clone());
        Ok(Self { path, methods, upstream, handling: route.handling, verifier })
    }
}

/// The message of the error, without the path with which it begins.
fn message(error: &countersign::ConfigError) -> String {
    let text = error.to_string();
    let path = format!("{}: ", error.path());
    text.strip_prefix(&path).unwrap_or(&text).to_owned()
}

impl Route {
    fn new(checked: Checked, shared: &Shared) -> Self {
        let Checked { path, methods, upstream, handling, verifier } = checked;
        let guard = VerifyWebhookLayer::new(verifier.clone())
            .body_timeout(shared.timeouts.body)
            .body_budget(shared.budget.clone())
            .linger(shared.linger);
        let guarded = ServiceBuilder::new().layer(guard).map_request(Facts::note::<VerifiedBody>);
        let forward = Forward {
            upstream: shared.upstream.clone(),
            address: upstream.clone(),
            trust_forwarded: shared.trust_forwarded,
        };
        let service = match (handling, &shared.once, &shared.inbox) {
            (Handling::Inbox, _, Some(accept)) => {
                let (accept, path) = (accept.clone(), Arc::clone(&path));
                let trust_forwarded = shared.trust_forwarded;
                let service = service_fn(move |request: Request<VerifiedBody>| {
                    let (accept, path) = (accept.clone(), Arc::clone(&path));
                    async move { Ok(accept.accept(&path, request, trust_forwarded).await) }
                });
                BoxCloneSyncService::new(guarded.service(service))
            }
            (handling, once, _) => {
                let once = once.as_ref().filter(|_| handling == Handling::Once);
                let service = service_fn(move |request: Request<VerifiedBody>| {
                    let forward = forward.clone();
                    async move { Ok(forward.forward(request).await) }
                });
                let once = once.map(|once| HandleOnceLayer::new(once.clone()));
                BoxCloneSyncService::new(guarded.option_layer(once).service(service))
            }
        };
        Self { path, methods, upstream, verifier, service }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
