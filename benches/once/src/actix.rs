//! The services in actix-web, set up as in the documentation.

use std::{error::Error, rc::Rc};

use actix_http::{Payload, Request};
use actix_web::{
    App, HttpResponse, Resource, Responder,
    body::MessageBody,
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    rt::Runtime,
    test::{TestRequest, init_service},
    web,
};
use countersign::Verifier;
use countersign_actix::{HandleOnce, Verified, VerifyWebhook};

use crate::{
    delivery::Delivery,
    service::{Inside, Send},
};

const PATH: &str = "/webhooks";

pub fn send(verifier: Verifier, inside: Inside) -> Result<Send, Box<dyn Error>> {
    let guard = VerifyWebhook::new(verifier);
    let resource = web::resource(PATH).route(web::post().to(takes_verified));
    match inside {
        Inside::Nothing => send_to(resource.wrap(guard)),
        Inside::NoOp => send_to(resource.wrap_fn(|request, service| service.call(request)).wrap(guard)),
        Inside::Once(once) => send_to(resource.wrap(HandleOnce::new(once)).wrap(guard)),
    }
}

fn send_to<F, B>(resource: Resource<F>) -> Result<Send, Box<dyn Error>>
where
    F: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let runtime = Rc::new(Runtime::new()?);
    let app = runtime.block_on(init_service(App::new().service(resource)));
    Ok(Box::new(move |deliveries, probe| {
        let mut requests: Vec<Request> = deliveries.iter().map(request).collect();
        let mut succeeded = true;
        probe(&mut || {
            runtime.block_on(async {
                for request in requests.drain(..) {
                    let response = app.call(request).await;
                    succeeded &= response.is_ok_and(|response| response.status().is_success());
                }
            });
        });
        succeeded
    }))
}

async fn takes_verified(verified: Verified) -> impl Responder {
    drop(verified);
    HttpResponse::Ok()
}

fn request(delivery: &Delivery) -> Request {
    let mut request = TestRequest::post().uri(PATH);
    for (name, value) in &delivery.headers {
        request = request.append_header((name.as_str(), value.as_str()));
    }
    request.to_request().replace_payload(Payload::from(delivery.body.clone())).0
}
