//! Runs the actix-web servers.

use std::{convert::Infallible, error::Error, io, net::TcpListener, sync::atomic::Ordering::Relaxed};

use actix_http::{HttpService, Protocol};
use actix_server::Server;
use actix_service::{IntoServiceFactory, Service, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App, HttpMessage, HttpResponse, HttpServer,
    dev::{AppConfig, Payload},
    rt::{System, net::TcpStream},
    web::{self, Bytes, PayloadConfig, ServiceConfig},
};
use countersign::DEFAULT_BODY_LIMIT;
use countersign_actix::{Verified, VerifyWebhook};
use futures_util::TryStreamExt;
use loopback::Variant;

use crate::{
    BODY_TIMEOUT, REFUSED, TAKEN, accept,
    counted::{Counted, taken},
    hash_and_accept, verifier,
};

pub(crate) fn serve(listener: TcpListener, variant: Variant, count: bool) -> Result<(), Box<dyn Error>> {
    let guard = VerifyWebhook::new(verifier()?).on_reject(|_| {
        REFUSED.fetch_add(1, Relaxed);
    });
    let routes = move |services: &mut ServiceConfig| routes(services, variant, guard.clone());
    System::new().block_on(async {
        if count {
            serve_counted(listener, routes)?.await
        } else {
            // actix-web accepts connections in a separate thread, whatever the number of workers.
            HttpServer::new(move || App::new().configure(routes.clone()))
                .workers(1)
                .listen(listener)?
                .run()
                .await
        }
    })?;
    Ok(())
}

fn routes(services: &mut ServiceConfig, variant: Variant, guard: VerifyWebhook) {
    // actix-web's own limit is 256 KiB.
    services.app_data(PayloadConfig::new(DEFAULT_BODY_LIMIT));
    let root = web::resource("/");
    match variant {
        Variant::Plain => services.service(root.route(web::post().to(plain))),
        Variant::Hashing => services.service(root.route(web::post().to(hashing))),
        Variant::Layered => {
            let layer = |request, inner: &_| Service::call(inner, request);
            services.service(root.wrap_fn(layer).route(web::post().to(hashing)))
        }
        Variant::Guarded => {
            let guard = guard.body_timeout(BODY_TIMEOUT);
            services.service(root.wrap(guard).route(web::post().to(guarded)))
        }
        Variant::GuardedUntimed => services.service(root.wrap(guard).route(web::post().to(guarded))),
    };
}

async fn plain(body: Bytes) -> HttpResponse {
    accept(&body);
    HttpResponse::Ok().finish()
}

async fn hashing(body: Bytes) -> HttpResponse {
    hash_and_accept(&body);
    HttpResponse::Ok().finish()
}

async fn guarded(verified: Verified) -> HttpResponse {
    accept(verified.body());
    HttpResponse::Ok().finish()
}

/// Does what `HttpServer::listen` does, with a counter around each socket and each body.
fn serve_counted(
    listener: TcpListener,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let server = Server::build().workers(1).listen("counted", listener, move || {
        let app = App::new().configure(routes.clone()).wrap_fn(|mut request, inner| {
            let body = request.take_payload().inspect_ok(|chunk| {
                TAKEN.fetch_add(taken(chunk), Relaxed);
            });
            request.set_payload(Payload::Stream { payload: Box::pin(body) });
            inner.call(request)
        });
        let app = map_config(app.into_factory(), |()| AppConfig::default());
        fn_service(|socket: TcpStream| async move {
            let peer = socket.peer_addr().ok();
            Ok::<_, Infallible>((Counted(socket), Protocol::Http1, peer))
        })
        .map_err(|never| match never {})
        .and_then(HttpService::build().finish(app))
    })?;
    Ok(server.run())
}
