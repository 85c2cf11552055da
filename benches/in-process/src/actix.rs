//! The actix-web contestants, each in its own app.

use std::{error::Error, future::poll_fn, hint::black_box, pin::Pin, rc::Rc, time::Duration};

use actix_http::{Payload, Request};
use actix_web::{
    App, HttpResponse, Responder, Route,
    body::MessageBody,
    dev::{HttpServiceFactory, Service, ServiceRequest, ServiceResponse},
    error::ErrorUnauthorized,
    middleware::{Next, from_fn},
    rt::Runtime,
    test::{TestRequest, init_service},
    web,
};
use countersign_actix::{Verified, VerifyWebhook};
use futures_core::Stream;
use hmac::Hmac;
use sha2::Sha256;
use webhook_verify::{
    Provider, Secret,
    actix::{VerifiedBody, WebhookConfig},
};

use crate::{
    contest::{
        self, COUNTERSIGN, COUNTERSIGN_TIMEOUT, COUNTERSIGN_VERIFIED, Contest, Contestant, GITHUB_HEADER,
        HAND_WRITTEN, Handler, NO_OP, PLAIN, Setting, WEBHOOK_VERIFY,
    },
    delivery::Delivery,
    tenants::{self, Known},
};

const PATH: &str = "/webhooks";

/// The plain service comes first, as the baseline of the others.
pub fn contestants(setting: Setting) -> Result<Vec<Contestant>, Box<dyn Error>> {
    let route = || match setting.handler {
        Handler::TakesBytes => web::post().to(takes_bytes),
        Handler::DropsFrames => web::post().to(drops_frames),
    };
    let resource = || web::resource(PATH);
    let guard = VerifyWebhook::new(setting.verifier()?);
    let patient = guard.clone().body_timeout(Duration::from_secs(30));
    let arena = Arena { runtime: Rc::new(Runtime::new()?), body_limit: setting.body_limit };
    let no_op = resource().wrap_fn(|request, service| service.call(request));
    let mut contestants = vec![
        arena.contestant(PLAIN, resource().route(route())),
        arena.contestant(NO_OP, no_op.route(route())),
        arena.contestant(COUNTERSIGN, resource().wrap(guard).route(route())),
        arena.contestant(COUNTERSIGN_TIMEOUT, resource().wrap(patient).route(route())),
    ];
    let provider = match setting.contest {
        Contest::GitHub => {
            let guarded = resource().app_data(web::Data::new(contest::keyed())).wrap(from_fn(hand_written));
            contestants.push(arena.contestant(HAND_WRITTEN, guarded.route(route())));
            Provider::GitHub
        }
        Contest::StandardWebhooks => Provider::StandardWebhooks,
    };
    // Extractors of the whole body, which cannot pass on frames.
    if setting.handler == Handler::TakesBytes {
        let guarded = resource().wrap(VerifyWebhook::new(setting.verifier()?));
        contestants
            .push(arena.contestant(COUNTERSIGN_VERIFIED, guarded.route(web::post().to(takes_verified))));
        let config = WebhookConfig::new(provider, Secret::new(setting.contest.secret()));
        let route: Route = web::post().to(takes_verified_body);
        contestants.push(arena.contestant(WEBHOOK_VERIFY, resource().app_data(config).route(route)));
    }
    Ok(contestants)
}

/// The guard with one verifier first.
pub fn with_tenants(setting: Setting, known: &Known) -> Result<Vec<Contestant>, Box<dyn Error>> {
    let arena = Arena { runtime: Rc::new(Runtime::new()?), body_limit: setting.body_limit };
    let guarded = |guard: VerifyWebhook| web::resource(PATH).wrap(guard).route(web::post().to(takes_bytes));
    let guard = VerifyWebhook::new(setting.verifier()?);
    let bare = known.bare.clone();
    let looked_up = guarded(guard.clone()).wrap_fn(move |request, service| {
        let tenant = request.headers().get(tenants::HEADER).and_then(|tenant| tenant.to_str().ok());
        black_box(tenant.and_then(|tenant| bare.get(tenant)));
        service.call(request)
    });
    Ok(vec![
        arena.contestant(tenants::ONE, guarded(guard)),
        arena.contestant(tenants::FLOOR, looked_up),
        arena.contestant(tenants::OURS, guarded(VerifyWebhook::new(known.tenants.clone()))),
    ])
}

async fn takes_bytes(body: web::Bytes) -> impl Responder {
    drop(body);
    HttpResponse::Ok()
}

async fn takes_verified(verified: Verified) -> impl Responder {
    drop(verified);
    HttpResponse::Ok()
}

async fn takes_verified_body(body: VerifiedBody) -> impl Responder {
    drop(body);
    HttpResponse::Ok()
}

async fn drops_frames(mut body: web::Payload) -> impl Responder {
    while poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await.is_some() {}
    HttpResponse::Ok()
}

async fn hand_written(
    keyed: web::Data<Hmac<Sha256>>,
    body: web::Bytes,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let header = request.headers().get(GITHUB_HEADER).and_then(|value| value.to_str().ok());
    if !contest::is_signed(&keyed, header, &body) {
        return Err(ErrorUnauthorized("unauthorized"));
    }
    request.set_payload(Payload::from(body));
    next.call(request).await
}

struct Arena {
    runtime: Rc<Runtime>,
    body_limit: usize,
}

impl Arena {
    fn contestant(&self, name: &'static str, resource: impl HttpServiceFactory + 'static) -> Contestant {
        let limit = web::PayloadConfig::new(self.body_limit);
        let app = self.runtime.block_on(init_service(App::new().app_data(limit).service(resource)));
        let runtime = Rc::clone(&self.runtime);
        Contestant::new(name, move |delivery, times, probe| {
            let mut requests: Vec<Request> = (0..times).map(|_| request(delivery)).collect();
            let mut succeeded = true;
            probe(&mut || {
                runtime.block_on(async {
                    for request in requests.drain(..) {
                        let response = app.call(request).await;
                        delivery.answered();
                        succeeded &= response.is_ok_and(|response| response.status().is_success());
                    }
                });
            });
            succeeded
        })
    }
}

fn request(delivery: &Delivery) -> Request {
    let mut request = TestRequest::post().uri(PATH);
    for (name, value) in &delivery.headers {
        request = request.append_header((name.as_str(), value.as_str()));
    }
    // Like actix-web's own dispatcher, give a request without a body no payload.
    let payload: Payload = if delivery.is_empty() {
        Payload::None
    } else {
        Payload::Stream { payload: Box::pin(delivery.stream()) }
    };
    request.to_request().replace_payload(payload).0
}
