use std::{error::Error, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, web};
use axum::{Router, routing::post};
use countersign::{Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tenants::{NameFrom, ResolveError, Tenants};
use countersign_tower::VerifyWebhookLayer;

use crate::Shops;

const PATH: &str = "/webhooks/{tenant}";
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Looks each shop up by the path of the request.
///
/// # Errors
/// None: the set-up is valid.
pub fn tenants(shops: Shops) -> Result<Tenants, Box<dyn Error>> {
    let resolver = move |name: Arc<str>| {
        let shops = shops.clone();
        async move {
            let Some(secret) = shops.secret(&name).await? else { return Ok(None) };
            let verifier = Verifier::builder(senders::shopify()).secret("current", Secret::new(secret));
            Ok::<_, ResolveError>(Some(verifier.build()?))
        }
    };
    let stand_in =
        Verifier::builder(senders::shopify()).secret("none", Secret::new("fits no shop's deliveries"));
    Ok(Tenants::builder(NameFrom::path(PATH), resolver, stand_in.build()?).build()?)
}

/// Serves with axum.
///
/// # Errors
/// Those of the socket.
pub async fn serve_axum(listener: TcpListener, tenants: Tenants) -> std::io::Result<()> {
    async fn order(shop: countersign_tower::Tenant, verified: countersign_tower::Verified) -> String {
        answer(&shop, verified.body())
    }
    let guard = VerifyWebhookLayer::new(tenants).body_timeout(BODY_TIMEOUT);
    let app = Router::new().route(PATH, post(order).layer(guard));
    listener.set_nonblocking(true)?;
    axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
}

/// Serves with actix-web.
///
/// # Errors
/// Those of the socket.
pub async fn serve_actix(listener: TcpListener, tenants: Tenants) -> std::io::Result<()> {
    async fn order(shop: countersign_actix::Tenant, verified: countersign_actix::Verified) -> String {
        answer(&shop, verified.body())
    }
    let guard = VerifyWebhook::new(tenants).body_timeout(BODY_TIMEOUT);
    let route = move || web::resource(PATH).wrap(guard.clone()).route(web::post().to(order));
    HttpServer::new(move || App::new().service(route())).workers(2).listen(listener)?.run().await
}

fn answer(shop: &str, body: &[u8]) -> String {
    format!("{} bytes for {shop}\n", body.len())
}
