//! Receivers for many tenants, alike in both frameworks.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, dev::Service, http::ConnectionType, web};
use axum::{Router, body::Body, routing::post};
use countersign::{Rejection, RejectionKind, Secret, Verifier, VerifierSource, senders};
use countersign_actix::VerifyWebhook;
use countersign_tenants::{NameFrom, ResolveError, Tenants, TenantsBuilder};
use countersign_tower::VerifyWebhookLayer;
use tokio::task::LocalSet;
use tower::ServiceExt;

use super::{Delivery, actix_request, block_on, hmac_delivery, request, verifier};

type Receiving = Pin<Box<dyn Future<Output = Seen>>>;

/// What a caller sees, and the operator beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    /// Sorted.
    pub(crate) headers: Vec<(String, String)>,
    /// The tenant whose handler ran.
    pub(crate) body: String,
    pub(crate) kind: Option<RejectionKind>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }
}

/// A guarded handler in one framework, which answers with its tenant's name.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) framework: &'static str,
    receive: Rc<dyn Fn(&Delivery) -> Receiving>,
}

impl Receiver {
    pub(crate) fn receive(&self, delivery: &Delivery) -> impl Future<Output = Seen> + use<> {
        (self.receive)(delivery)
    }

    /// Receives a delivery and asserts that this tenant's handler ran.
    pub(crate) async fn assert_runs(&self, delivery: &Delivery, tenant: &str) {
        let seen = self.receive(delivery).await;
        assert_eq!((seen.status, &*seen.body), (200, tenant), "{}", self.framework);
    }

    /// Receives a delivery and asserts why it is rejected.
    pub(crate) async fn assert_rejects(&self, delivery: &Delivery, kind: RejectionKind) {
        let seen = self.receive(delivery).await;
        assert_eq!(
            (seen.kind, seen.status, &*seen.body),
            (Some(kind), kind.status(), ""),
            "{}",
            self.framework
        );
    }
}

/// Runs the test in each framework, with a guard of its own.
pub(crate) fn in_each<G: Into<VerifierSource>, F: Future<Output = ()>>(
    guard: impl Fn() -> G,
    test: impl Fn(Receiver) -> F,
) {
    block_on(LocalSet::new().run_until(async {
        test(in_axum(guard())).await;
        test(in_actix(guard()).await).await;
    }));
}

pub(crate) fn in_axum(source: impl Into<VerifierSource>) -> Receiver {
    let handler = async |tenant: countersign_tower::Tenant| {
        assert_eq!(*tenant, *tenant.to_string());
        tenant.to_string()
    };
    let app = Router::new().fallback(post(handler)).layer(VerifyWebhookLayer::new(source));
    let receive = move |delivery: &Delivery| -> Receiving {
        let response = app.clone().oneshot(request(delivery).map(Body::new));
        Box::pin(async move {
            let (head, body) = response.await.unwrap().into_parts();
            let headers = head.headers.iter();
            Seen {
                status: head.status.as_u16(),
                headers: sorted(headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()))),
                body: text(&axum::body::to_bytes(body, usize::MAX).await.unwrap()),
                kind: head.extensions.get::<Rejection>().map(Rejection::kind),
            }
        })
    };
    Receiver { framework: "axum", receive: Rc::new(receive) }
}

pub(crate) async fn in_actix(source: impl Into<VerifierSource>) -> Receiver {
    let handler = async |tenant: countersign_actix::Tenant| {
        assert_eq!(*tenant, *tenant.to_string());
        tenant.to_string()
    };
    let app = App::new().wrap(VerifyWebhook::new(source)).default_service(web::post().to(handler));
    let app = Rc::new(actix_web::test::init_service(app).await);
    let receive = move |delivery: &Delivery| -> Receiving {
        let response = app.call(actix_request(delivery));
        Box::pin(async move {
            let response = response.await.unwrap();
            let kind = response.response().extensions().get::<Rejection>().map(Rejection::kind);
            let closes = response.response().head().connection_type() == ConnectionType::Close;
            let headers = response.headers().iter();
            let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
            Seen {
                status: response.status().as_u16(),
                headers: sorted(headers.chain(closes.then_some(("connection", "close")))),
                kind,
                body: text(&actix_web::test::read_body(response).await),
            }
        })
    };
    Receiver { framework: "actix", receive: Rc::new(receive) }
}

fn sorted<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>) -> Vec<(String, String)> {
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    headers.sort();
    headers
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

/// The tenants of a test: a name is one if it is on the list, and its secret is its name.
#[derive(Clone, Default)]
pub(crate) struct Shops {
    names: Arc<Mutex<Vec<String>>>,
    lookups: Arc<AtomicUsize>,
}

impl Shops {
    pub(crate) fn of(names: &[&str]) -> Self {
        let shops = Self::default();
        for name in names {
            shops.add(name);
        }
        shops
    }

    pub(crate) fn add(&self, name: &str) {
        self.names.lock().unwrap().push(name.to_owned());
    }

    pub(crate) fn revoke(&self, name: &str) {
        self.names.lock().unwrap().retain(|other| other != name);
    }

    /// How many lookups began.
    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Verifier> {
        let found = self.names.lock().unwrap().iter().any(|other| other == name);
        found.then(|| verifier(senders::moduslink(), &secret_of(name)))
    }

    /// By the path `/webhooks/{tenant}`, and each lookup after this.
    pub(crate) fn after<F>(&self, before: impl Fn() -> F + Send + Sync + 'static) -> TenantsBuilder
    where
        F: Future<Output = Result<(), ResolveError>> + Send + 'static,
    {
        self.builder(NameFrom::path("/webhooks/{tenant}"), before)
    }

    /// By this name, and each lookup at once.
    pub(crate) fn named(&self, name: NameFrom) -> TenantsBuilder {
        self.builder(name, async || Ok(()))
    }

    /// By the path, and each lookup at once.
    pub(crate) fn tenants(&self) -> Tenants {
        self.after(async || Ok(())).build().unwrap()
    }

    fn builder<F>(&self, name: NameFrom, before: impl Fn() -> F + Send + Sync + 'static) -> TenantsBuilder
    where
        F: Future<Output = Result<(), ResolveError>> + Send + 'static,
    {
        let shops = self.clone();
        let resolver = move |name: Arc<str>| {
            shops.lookups.fetch_add(1, Ordering::SeqCst);
            let (shops, before) = (shops.clone(), before());
            async move {
                before.await?;
                Ok::<_, ResolveError>(shops.find(&name))
            }
        };
        let stand_in = Verifier::builder(senders::moduslink()).secret("none", Secret::new("nobody's"));
        Tenants::builder(name, resolver, stand_in.build().unwrap())
    }
}

fn secret_of(tenant: &str) -> String {
    format!("the secret of {tenant}")
}

/// A delivery to this tenant, signed with its secret.
pub(crate) fn to(tenant: &str) -> Delivery {
    signed_by(tenant).to("POST", &format!("/webhooks/{tenant}"))
}

/// A delivery signed with this tenant's secret.
pub(crate) fn signed_by(tenant: &str) -> Delivery {
    hmac_delivery(senders::moduslink(), &secret_of(tenant), "an order")
}
