//! The axum contestants, each in its own router.

use std::{
    convert::Infallible, future::poll_fn, hint::black_box, pin::Pin, rc::Rc, sync::Arc, time::Duration,
};

use axum::{
    BoxError, Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use bytes::Bytes;
use countersign_tower::{Verified, VerifyWebhookLayer};
use http_body::Body as _;
use tokio::runtime::{Builder, Runtime};
use tower::{
    Service, ServiceBuilder,
    layer::util::Identity,
    util::{MapErrLayer, MapRequestLayer},
};
use webhook_verify::{Provider, Secret, tower::VerifyLayer};

use crate::{
    contest::{
        self, COUNTERSIGN, COUNTERSIGN_TIMEOUT, COUNTERSIGN_VERIFIED, Contest, Contestant, GITHUB_HEADER,
        HAND_WRITTEN, Handler, NO_OP, PLAIN, STANDARD_WEBHOOKS, SVIX, Setting, WEBHOOK_VERIFY,
    },
    delivery::Delivery,
    tenants::{self, Known},
};

const PATH: &str = "/webhooks";

/// The handlers' state. Nearly every service has some, and without it axum would clone its routes needlessly.
type Shared = Arc<()>;

/// The plain service comes first, as the baseline of the others.
pub fn contestants(setting: Setting) -> Result<Vec<Contestant>, Box<dyn std::error::Error>> {
    let plain = || -> MethodRouter<Shared> {
        match setting.handler {
            Handler::TakesBytes => post(takes_bytes),
            Handler::DropsFrames => post(drops_frames),
        }
    };
    let collected = |check: Check| plain().layer(from_fn_with_state((check, setting.body_limit), collect));
    let guard = VerifyWebhookLayer::new(setting.verifier()?);
    let mut routes = vec![
        (PLAIN, plain()),
        (NO_OP, plain().layer(Identity::new())),
        (COUNTERSIGN, plain().layer(guard.clone())),
        (COUNTERSIGN_TIMEOUT, plain().layer(guard.body_timeout(Duration::from_secs(30)))),
    ];
    // It has the body as a whole, so it cannot pass on frames.
    if setting.handler == Handler::TakesBytes {
        let guard = VerifyWebhookLayer::new(setting.verifier()?);
        routes.push((COUNTERSIGN_VERIFIED, post(takes_verified).layer(guard)));
    }
    let secret = setting.contest.secret();
    let provider = match setting.contest {
        Contest::GitHub => {
            let keyed = contest::keyed();
            let check = move |body: &[u8], headers: &HeaderMap| {
                let header = headers.get(GITHUB_HEADER).and_then(|value| value.to_str().ok());
                contest::is_signed(&keyed, header, body)
            };
            routes.push((HAND_WRITTEN, collected(Arc::new(check))));
            Provider::GitHub
        }
        Contest::StandardWebhooks => {
            let webhook = standardwebhooks::Webhook::new(&secret)?;
            let check = move |body: &[u8], headers: &HeaderMap| webhook.verify(body, headers).is_ok();
            routes.push((STANDARD_WEBHOOKS, collected(Arc::new(check))));
            let webhook = svix::webhooks::Webhook::new(&secret)?;
            let check = move |body: &[u8], headers: &HeaderMap| webhook.verify(body, headers).is_ok();
            routes.push((SVIX, collected(Arc::new(check))));
            Provider::StandardWebhooks
        }
    };
    routes.push((WEBHOOK_VERIFY, webhook_verify(provider, secret, plain())));
    arena(setting, routes)
}

/// The guard with one verifier first.
pub fn with_tenants(setting: Setting, known: &Known) -> Result<Vec<Contestant>, Box<dyn std::error::Error>> {
    let guard = VerifyWebhookLayer::new(setting.verifier()?);
    let bare = known.bare.clone();
    let look_up = move |request: Request| {
        let tenant = request.headers().get(tenants::HEADER).and_then(|tenant| tenant.to_str().ok());
        black_box(tenant.and_then(|tenant| bare.get(tenant)));
        request
    };
    let routes = vec![
        (tenants::ONE, post(takes_bytes).layer(guard.clone())),
        (tenants::FLOOR, post(takes_bytes).layer((MapRequestLayer::new(look_up), guard))),
        (tenants::OURS, post(takes_bytes).layer(VerifyWebhookLayer::new(known.tenants.clone()))),
    ];
    arena(setting, routes)
}

fn arena(
    setting: Setting,
    routes: Vec<(&'static str, MethodRouter<Shared>)>,
) -> Result<Vec<Contestant>, Box<dyn std::error::Error>> {
    let runtime = Rc::new(Builder::new_current_thread().enable_time().build()?);
    let contestant = |(name, mut route): (_, MethodRouter<Shared>)| {
        // Lifts axum's own limit, which the large bodies exceed.
        if setting.body_limit > 2 << 20 {
            route = route.layer(DefaultBodyLimit::disable());
        }
        contestant(name, Rc::clone(&runtime), Router::new().route(PATH, route))
    };
    Ok(routes.into_iter().map(contestant).collect())
}

/// Its layer does not compile in `layer`: over axum's body the layer is not `Clone` and its service is not `Sync`, and
/// its error is boxed. This is the smallest shim that fits. axum's own `HandleErrorLayer` would cost another box.
fn webhook_verify(provider: Provider, secret: String, route: MethodRouter<Shared>) -> MethodRouter<Shared> {
    let never =
        |error: BoxError| -> Infallible { unreachable!("the bodies of this benchmark never fail: {error}") };
    let shim = ServiceBuilder::new()
        .layer(MapErrLayer::new(never))
        .layer(VerifyLayer::<Bytes>::new(provider, Secret::new(secret)))
        .layer(MapRequestLayer::new(|request: http::Request<Bytes>| request.map(Body::from)));
    route.layer(shim)
}

async fn takes_bytes(body: Bytes) {
    drop(body);
}

async fn takes_verified(verified: Verified) {
    drop(verified);
}

async fn drops_frames(mut body: Body) {
    while poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_some() {}
}

type Check = Arc<dyn Fn(&[u8], &HeaderMap) -> bool + Send + Sync>;

/// What a user writes around a library that checks bodies: collect, check, rebuild.
async fn collect(State((check, limit)): State<(Check, usize)>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, limit).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if !check(&body, &head.headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(Request::from_parts(head, Body::from(body))).await
}

fn contestant(name: &'static str, runtime: Rc<Runtime>, router: Router<Shared>) -> Contestant {
    let mut router = router.with_state(Shared::default());
    Contestant::new(name, move |delivery, times, probe| {
        let mut requests = requests(delivery, times);
        let mut succeeded = true;
        probe(&mut || {
            runtime.block_on(async {
                for request in requests.drain(..) {
                    let response = router.call(request).await;
                    delivery.answered();
                    succeeded &= response.is_ok_and(|response| response.status().is_success());
                }
            });
        });
        succeeded
    })
}

fn requests(delivery: &Delivery, times: usize) -> Vec<Request> {
    let header = |(name, value): &(String, String)| -> Result<_, http::Error> {
        Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?))
    };
    let headers: HeaderMap =
        delivery.headers.iter().map(header).collect::<Result<_, _>>().expect("headers as senders write them");
    let request = |_| {
        let mut request = Request::new(Body::new(delivery.stream()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static(PATH);
        request.headers_mut().clone_from(&headers);
        request
    };
    (0..times).map(request).collect()
}
