use std::{error::Error, fmt, time::Duration};

use axum::{
    Router,
    extract::State,
    routing::{MethodRouter, get, post},
};
use countersign_events::{Event, ewarehousing, extend, fluent, modern_dropship, moduslink};
use countersign_once::Once;
use countersign_tower::{HandleOnceLayer, OnceClaim, VerifyWebhookLayer};
use receiver_setup::Endpoint;

use crate::{Failure, OrderEvent, Orders, page::page};

/// Routes each endpoint's deliveries to `orders`, and `GET /` to the page that lists them.
///
/// `once` must remember in the store of `orders`.
///
/// # Errors
///
/// An endpoint's path is not one of the five senders'.
pub fn router(orders: Orders, once: Once, endpoints: Vec<Endpoint>) -> Result<Router, UnknownSender> {
    let once = HandleOnceLayer::new(once);
    let mut router = Router::new().route("/", get(page));
    for Endpoint { path, verifier } in endpoints {
        let guard = VerifyWebhookLayer::new(verifier).body_timeout(Duration::from_secs(30));
        let handled: MethodRouter<Orders> = handler(path)?.layer(once.clone());
        // The layer added last runs first.
        router = router.route(path, handled.layer(guard));
    }
    Ok(router.with_state(orders))
}

fn handler(path: &'static str) -> Result<MethodRouter<Orders>, UnknownSender> {
    Ok(match path {
        "/webhooks/moduslink" => post(receive::<moduslink::Event>),
        "/webhooks/modern-dropship" => post(receive::<modern_dropship::Event>),
        "/webhooks/fluent" => post(receive::<fluent::Event>),
        "/webhooks/ewarehousing" => post(receive::<ewarehousing::Event>),
        "/webhooks/extend" => post(receive::<extend::Event>),
        _ => return Err(UnknownSender(path)),
    })
}

/// Answers 200 once the change and the memory of the delivery are committed.
async fn receive<E: OrderEvent>(
    State(orders): State<Orders>,
    claim: OnceClaim,
    event: Event<E>,
) -> Result<(), Failure> {
    let sender = event.delivery().scheme().name();
    orders.apply(sender, &event.changes()?, &claim).await
}

/// The path of an endpoint whose events the desk does not know.
#[derive(Debug)]
pub struct UnknownSender(&'static str);

impl fmt::Display for UnknownSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no event type for the endpoint {}", self.0)
    }
}

impl Error for UnknownSender {}
