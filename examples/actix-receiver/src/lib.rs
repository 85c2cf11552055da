//! An actix-web service with a guarded route for each of five senders.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, http::StatusCode, http::header, web};
use countersign::Rejection;
use countersign_actix::{Verified, VerifyWebhook};
use countersign_once::{Answers, Once};
use receiver_setup::{Answer, Endpoint};

/// Serves each endpoint at its path: each verified delivery is handled once, by the memory of `once`, and `on_reject` runs
/// for all that are not verified.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    endpoints: Vec<Endpoint>,
    once: Once,
    on_reject: impl Fn(&Rejection) + Clone + Send + Sync + 'static,
) -> io::Result<Server> {
    let app = move || {
        let app = App::new().app_data(web::Data::new(once.clone()));
        endpoints.iter().cloned().fold(app, |app, Endpoint { path, verifier }| {
            let guard = VerifyWebhook::new(verifier)
                .body_timeout(Duration::from_secs(30))
                .on_reject(on_reject.clone());
            app.service(web::resource(path).wrap(guard).route(web::post().to(receive)))
        })
    };
    Ok(HttpServer::new(app).listen(listener)?.run())
}

/// Takes `Verified`, so it runs for verified deliveries only. Duplicates get a 200 without an [`Answer`].
async fn receive(verified: Verified, once: web::Data<Once>) -> HttpResponse {
    let decision = once.begin(verified.identify().identity, Some(verified.scheme().retry_horizon())).await;
    match Answers::default().run_or_answer(decision) {
        Ok(running) => {
            let answer = Answer::new(&verified);
            // The answer stands whatever the store says, and `Once` has logged that.
            let _ = running.complete().await;
            HttpResponse::Ok().json(answer)
        }
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let mut response = HttpResponse::build(status);
            if let Some(seconds) = refusal.retry_after {
                response.insert_header((header::RETRY_AFTER, seconds));
            }
            response.finish()
        }
    }
}
