//! `cargo run -p axum-receiver`
//!
//! Listens on `ADDR` (default `127.0.0.1:3000`) and reads the senders' keys from `MODUSLINK_SECRET`,
//! `EWAREHOUSING_SECRET`, `EXTEND_SECRET`, `FLUENT_PUBLIC_KEY` (PEM or bare base64) and
//! `MODERN_DROPSHIP_SECRETS` (`secret` or `secret@expiry`, separated by commas). It remembers deliveries in memory,
//! or where `REDIS_URL` or `DATABASE_URL` (`sqlite:…`, `postgres://…`) says. If `INBOX` names a file, it stores each delivery in that
//! SQLite file instead, answers at once, and handles it afterwards. `RUST_LOG` filters the log.
//! On SIGINT or SIGTERM, it finishes open requests, for 10 seconds at most, and refuses new ones.

use std::{env, error::Error};

use axum::Router;
use receiver_setup::{Memory, WorkedInbox};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let endpoints = receiver_setup::endpoints_from_env()?;
    if let Some(file) = env::var_os("INBOX") {
        let inbox = WorkedInbox::open(file, receiver_setup::log_handled).await?;
        serve(axum_receiver::inbox_router(endpoints, inbox.inbox(), |_| {})).await?;
        return Ok(inbox.close().await?);
    }
    let memory = Memory::from_env().await?;
    serve(axum_receiver::router(endpoints, memory.once(), |_| {})).await
}

async fn serve(app: Router) -> Result<(), Box<dyn Error>> {
    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);

    let server = |shutdown| axum::serve(listener, app).with_graceful_shutdown(shutdown);
    Ok(receiver_setup::serve(server).await?)
}
