//! The contestants: ways to come to a verifier, and guards that do.

use std::{
    convert::Infallible, error::Error, future::ready, hint::black_box, rc::Rc, sync::Arc, time::SystemTime,
};

use bytes::Bytes;
use countersign::{Choice, ChooseVerifier, RequestHead, Secret, Signer, Verifier, VerifierSource, senders};
use countersign_tenants::{NameFrom, Tenants};
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use http::{Request, Response};
use http_body_util::Full;
use moka::sync::Cache;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

const TENANTS: usize = 10_000;
const SECRET: &str = "a secret of thirty-two characters";
const BODY: &[u8] = &[b'x'; 1024];

/// Something to be measured, in a group whose first is what the others are compared with.
pub struct Contestant {
    pub group: &'static str,
    pub name: &'static str,
    pub work: Box<dyn Fn()>,
}

/// All contestants, each with its tenant in the cache among ten thousand.
pub fn contestants() -> Result<Vec<Contestant>, Box<dyn Error>> {
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let verifier = Verifier::builder(senders::moduslink()).secret("k", Secret::new(SECRET)).build()?;
    let by_path = tenants(&runtime, &verifier, NameFrom::path("/webhooks/{tenant}"))?;
    let by_header = tenants(&runtime, &verifier, NameFrom::header("x-shop"))?;
    let bare: Cache<Arc<str>, Verifier> = Cache::builder()
        .max_capacity(TENANTS as u64)
        .time_to_live(std::time::Duration::from_secs(3600))
        .build();
    for number in 0..TENANTS {
        bare.insert(name(number).into(), verifier.clone());
    }
    let lookup = "a cached tenant";
    let guard = "a guard in tower, 1 KiB";
    Ok(vec![
        Contestant {
            group: lookup,
            name: "a bare `get` of moka",
            work: Box::new(move || drop(black_box(bare.get("shop-77")))),
        },
        Contestant {
            group: lookup,
            name: "Tenants, by header",
            work: chosen(by_header.clone(), "/", "shop-77"),
        },
        Contestant {
            group: lookup,
            name: "Tenants, by path",
            work: chosen(by_path.clone(), "/webhooks/shop-77", ""),
        },
        Contestant {
            group: lookup,
            name: "Tenants, unknown",
            work: chosen(by_path.clone(), "/webhooks/none", ""),
        },
        Contestant { group: guard, name: "guard of one verifier", work: guarded(&runtime, verifier.into())? },
        Contestant {
            group: guard,
            name: "guard with Tenants, by header",
            work: guarded(&runtime, by_header.into())?,
        },
        Contestant {
            group: guard,
            name: "guard with Tenants, by path",
            work: guarded(&runtime, by_path.into())?,
        },
    ])
}

fn name(number: usize) -> String {
    format!("shop-{number}")
}

/// Tenants with everything cached for an hour.
fn tenants(runtime: &Runtime, verifier: &Verifier, from: NameFrom) -> Result<Tenants, Box<dyn Error>> {
    let known = verifier.clone();
    let resolver = move |tenant: Arc<str>| {
        ready(Ok::<_, Infallible>(tenant.starts_with("shop-").then(|| known.clone())))
    };
    let hour = std::time::Duration::from_secs(3600);
    let tenants = Tenants::builder(from, resolver, verifier.clone()).ttl(hour).unknown_ttl(hour).build()?;
    for name in (0..TENANTS).map(name).chain(["none".to_owned()]) {
        let target = format!("/webhooks/{name}");
        let headers = [("x-shop", name)];
        if let Choice::Later(choosing) = tenants.choose(&RequestHead::new("POST", &target, &headers)) {
            // An unknown one is chosen for, too: the stand-in.
            drop(runtime.block_on(choosing)?);
        }
    }
    Ok(tenants)
}

fn chosen(tenants: Tenants, target: &'static str, shop: &'static str) -> Box<dyn Fn()> {
    let headers = [("x-shop", shop)];
    Box::new(move || {
        let choice = tenants.choose(&RequestHead::new("POST", target, &headers));
        assert!(matches!(&choice, Choice::Now(Ok(_))), "it is not cached");
        drop(black_box(choice));
    })
}

fn guarded(runtime: &Rc<Runtime>, source: VerifierSource) -> Result<Box<dyn Fn()>, Box<dyn Error>> {
    let signer = Signer::new(senders::moduslink(), [Secret::new(SECRET)])?;
    let headers = signer.headers(BODY, SystemTime::now())?;
    let handler =
        service_fn(|_: Request<VerifiedBody>| ready(Ok::<_, Infallible>(Response::new(String::new()))));
    let service = VerifyWebhookLayer::new(source).layer(handler);
    let runtime = Rc::clone(runtime);
    Ok(Box::new(move || {
        let mut request = Request::post("/webhooks/shop-77").header("x-shop", "shop-77");
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from_static(BODY))).expect("a valid request");
        let answered = runtime.block_on(async {
            let mut service = service.clone();
            service.ready().await?.call(request).await
        });
        assert!(answered.is_ok_and(|response| response.status().is_success()), "it was rejected");
    }))
}
