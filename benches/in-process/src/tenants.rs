//! A guard that looks the tenant up, among 10,000 that are cached, beside one with a verifier of its own.

use std::{error::Error, hint::black_box, sync::Arc, time::Instant};

use countersign::{Choice, ChooseVerifier, Rejection, Verifier};
use countersign_tenants::{NameFrom, ResolveError, Tenants};
use moka::sync::Cache;
use tokio::runtime::Builder;

use crate::{
    actix,
    contest::{Contest, Contestant, Handler, Setting},
    delivery::Delivery,
    matrix::Framework,
    measure::Timed,
    tower,
};

pub const HEADER: &str = "shop";
const TENANTS: usize = 10_000;

pub const SETTING: Setting =
    Setting { contest: Contest::GitHub, handler: Handler::TakesBytes, body_limit: 1 << 20 };

pub const FRAMEWORKS: [(&str, Framework); 2] = [("axum", Framework::Axum), ("actix-web", Framework::Actix)];

pub const ONE: &str = "the guard with one verifier";
pub const FLOOR: &str = "the same, and a bare moka get";
pub const OURS: &str = "countersign-tenants";

/// Reads the header and gets the verifier from a cache: what a lookup costs at least.
pub type Bare = Cache<Arc<str>, Verifier>;

/// The cached tenants, and the same in a bare cache.
#[derive(Clone)]
pub struct Known {
    pub tenants: Tenants,
    pub bare: Bare,
}

impl Known {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let verifier = SETTING.verifier()?;
        let found = verifier.clone();
        let resolver = move |_| {
            let found = found.clone();
            async move { Ok::<_, ResolveError>(Some(found)) }
        };
        let tenants = Tenants::builder(NameFrom::header(HEADER), resolver, verifier.clone())
            .most_tenants(2 * TENANTS as u64)
            .build()?;
        let bare = Cache::new(2 * TENANTS as u64);
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(async {
            for name in names() {
                chosen(&tenants, &name).await?;
                bare.insert(Arc::from(name), verifier.clone());
            }
            Ok::<_, Rejection>(())
        })?;
        Ok(Self { tenants, bare })
    }

    /// Services at 1 KiB in one chunk, the guard with one verifier first, and the delivery that they get.
    pub fn services(&self, framework: Framework) -> Result<(Vec<Contestant>, Delivery), Box<dyn Error>> {
        let contestants = match framework {
            Framework::Axum => tower::with_tenants(SETTING, self)?,
            Framework::Actix => actix::with_tenants(SETTING, self)?,
        };
        let mut delivery = Delivery::new(&SETTING.contest.signer()?, 1 << 10, 1)?;
        delivery.headers.push((HEADER.to_owned(), "shop-77".to_owned()));
        Ok((contestants, delivery))
    }

    /// The lookup without a service, of names in random order, the bare cache first.
    pub fn lookups(&self) -> [Timed<'_>; 2] {
        let timed = |lookup: fn(&Self, &str)| -> Timed<'_> {
            let mut random = fastrand::Rng::with_seed(7);
            Box::new(move |times| {
                let names: Vec<String> = (0..times).map(|_| name(random.usize(..TENANTS))).collect();
                let start = Instant::now();
                for name in &names {
                    lookup(self, name);
                }
                start.elapsed()
            })
        };
        [timed(Self::bare_lookup), timed(Self::lookup)]
    }

    pub fn bare_lookup(&self, name: &str) {
        black_box(self.bare.get(name));
    }

    pub fn lookup(&self, name: &str) {
        let choice = self.tenants.choose(&[(HEADER, name)]);
        assert!(matches!(choice, Choice::Now(Ok(_))), "{name} is not cached");
    }
}

async fn chosen(tenants: &Tenants, name: &str) -> Result<Verifier, Rejection> {
    match tenants.choose(&[(HEADER, name)]) {
        Choice::Now(verifier) => verifier,
        Choice::Later(verifier) => verifier.await,
    }
}

fn names() -> impl Iterator<Item = String> {
    (0..TENANTS).map(name)
}

pub fn name(number: usize) -> String {
    format!("shop-{number}")
}
