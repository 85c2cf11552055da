//! The services in axum, set up as in the documentation.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Uri},
    routing::{MethodRouter, post},
};
use countersign::Verifier;
use countersign_tower::{HandleOnceLayer, Verified, VerifyWebhookLayer};
use tokio::runtime::Builder;
use tower::{Service, layer::util::Identity};

use crate::{
    delivery::Delivery,
    service::{Inside, Send},
};

const PATH: &str = "/webhooks";

/// The handlers' state. Nearly every service has some, and without it axum would clone its routes needlessly.
type Shared = Arc<()>;

pub fn send(verifier: Verifier, inside: Inside) -> Result<Send, Box<dyn Error>> {
    let route: MethodRouter<Shared> = post(takes_verified);
    let route = match inside {
        Inside::Nothing => route,
        Inside::NoOp => route.layer(Identity::new()),
        Inside::Once(once) => route.layer(HandleOnceLayer::new(once)),
    };
    let router = Router::new().route(PATH, route.layer(VerifyWebhookLayer::new(verifier)));
    let mut router = router.with_state(Shared::default());
    let runtime = Builder::new_current_thread().enable_time().build()?;
    Ok(Box::new(move |deliveries, probe| {
        let mut requests: Vec<Request> = deliveries.iter().map(request).collect();
        let mut succeeded = true;
        probe(&mut || {
            runtime.block_on(async {
                for request in requests.drain(..) {
                    let response = router.call(request).await;
                    succeeded &= response.is_ok_and(|response| response.status().is_success());
                }
            });
        });
        succeeded
    }))
}

async fn takes_verified(verified: Verified) {
    drop(verified);
}

fn request(delivery: &Delivery) -> Request {
    let mut request = Request::new(Body::from(delivery.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(PATH);
    for (name, value) in &delivery.headers {
        let name = HeaderName::try_from(name).expect("a name as senders write it");
        request
            .headers_mut()
            .append(name, HeaderValue::try_from(value).expect("a value as senders write it"));
    }
    request
}
