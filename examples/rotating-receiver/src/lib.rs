//! A receiver whose configuration and secrets are followed while it runs.

use std::{io, net::TcpListener, path::PathBuf};

use actix_web::{App, HttpServer, dev::Server, web};
use axum::{Router, routing::post};
use countersign::{Config, Rotating, Verifier};
use countersign_actix::VerifyWebhook;
use countersign_tower::{Verified, VerifyWebhookLayer};
use countersign_watch::{Files, Watch, Watching};

/// Builds the verifier that a configuration file states, and again whenever the file or a secret that it names changes.
///
/// # Errors
/// If the file cannot be read, or no verifier can be built from it.
pub fn follow(config: PathBuf) -> Result<(Rotating, Watching), String> {
    Watch::new().start(move |files| load(files, &config))
}

fn load(files: &mut Files, path: &PathBuf) -> Result<Verifier, String> {
    let at_path = |failure: &dyn std::fmt::Display| format!("{}: {failure}", path.display());
    let text = files.text(path).map_err(|failure| at_path(&failure))?;
    // The message of `toml` alone: its `Display` quotes the line, which may hold a misplaced secret.
    let config: Config = toml::from_str(&text).map_err(|failure| at_path(&failure.message()))?;
    files.follow(config.files());
    config.verifier().map_err(|failure| at_path(&failure))
}

/// An axum app with one guarded route.
pub fn router(verifier: Rotating) -> Router {
    Router::new().route("/webhooks", post(receive).layer(VerifyWebhookLayer::new(verifier)))
}

async fn receive(verified: Verified) -> String {
    answer(verified.key().as_str())
}

/// The same in actix-web.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(listener: TcpListener, verifier: Rotating) -> io::Result<Server> {
    let app = move || App::new().configure(|app| routes(app, verifier.clone()));
    Ok(HttpServer::new(app).listen(listener)?.run())
}

/// The routes of [`serve`].
pub fn routes(app: &mut web::ServiceConfig, verifier: Rotating) {
    let guard = VerifyWebhook::new(verifier);
    app.service(web::resource("/webhooks").wrap(guard).route(web::post().to(receive_in_actix)));
}

async fn receive_in_actix(verified: countersign_actix::Verified) -> String {
    answer(verified.key().as_str())
}

fn answer(key: &str) -> String {
    format!("signed with {key}\n")
}
