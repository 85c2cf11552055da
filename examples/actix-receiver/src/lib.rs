//! An actix-web service with a guarded route for each of five senders.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App, HttpServer, dev::Server, web};
use countersign::Rejection;
use countersign_actix::{HandleOnce, Verified, VerifyWebhook, accept_into};
use countersign_inbox::SqliteInbox;
use countersign_once::Once;
use receiver_setup::{Answer, Endpoint, SHUTDOWN_GRACE};

/// Serves each endpoint at its path: each verified delivery reaches the handler once, by the memory of `once`, and
/// `on_reject` runs for all that are not verified.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    endpoints: Vec<Endpoint>,
    once: Once,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> io::Result<Server> {
    let once = HandleOnce::new(once);
    let app = move || {
        endpoints.iter().cloned().fold(App::new(), |app, Endpoint { path, verifier }| {
            let guard = VerifyWebhook::new(verifier)
                .body_timeout(Duration::from_secs(30))
                .on_reject(on_reject.clone());
            // What is wrapped last runs first.
            app.service(web::resource(path).wrap(once.clone()).wrap(guard).route(web::post().to(receive)))
        })
    };
    Ok(HttpServer::new(app).shutdown_timeout(SHUTDOWN_GRACE.as_secs()).listen(listener)?.run())
}

/// Serves each endpoint at its path: each verified delivery is stored in `inbox` and answered at once.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve_inbox(
    listener: TcpListener,
    endpoints: Vec<Endpoint>,
    inbox: SqliteInbox,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> io::Result<Server> {
    let app = move || {
        endpoints.iter().cloned().fold(App::new(), |app, Endpoint { path, verifier }| {
            let guard = VerifyWebhook::new(verifier)
                .body_timeout(Duration::from_secs(30))
                .on_reject(on_reject.clone());
            let accept = web::post().to(accept_into(inbox.clone()));
            app.service(web::resource(path).wrap(guard).route(accept))
        })
    };
    Ok(HttpServer::new(app).shutdown_timeout(SHUTDOWN_GRACE.as_secs()).listen(listener)?.run())
}

/// Takes `Verified`, so it runs for verified deliveries only. Duplicates get a 200 without it.
async fn receive(verified: Verified) -> web::Json<Answer> {
    web::Json(Answer::new(&verified))
}
