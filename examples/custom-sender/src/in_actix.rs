//! Serves the endpoints with actix-web.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App, HttpServer, dev::Server, web};
use countersign_actix::{Verified, VerifyWebhook};

use crate::{Answer, Endpoint};

/// Serves each endpoint at its path.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(listener: TcpListener, endpoints: Vec<Endpoint>) -> io::Result<Server> {
    let app = move || {
        endpoints.iter().cloned().fold(App::new(), |app, Endpoint { path, verifier }| {
            let guard = VerifyWebhook::new(verifier).body_timeout(Duration::from_secs(30));
            let route = web::post().to(receive);
            app.service(web::resource(path).wrap(guard).route(route))
        })
    };
    Ok(HttpServer::new(app).listen(listener)?.run())
}

/// Takes `Verified`, so it runs for verified deliveries only.
async fn receive(verified: Verified) -> web::Json<Answer> {
    web::Json(Answer::new(&verified))
}
