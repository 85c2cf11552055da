//! `cargo run -p operations`
//!
//! Receives at `ADDR` (default `127.0.0.1:3000`) and shows metrics and the use of keys at `OPERATOR_ADDR` (default
//! `127.0.0.1:9100`). `KEYS` is the directory of the secrets (default `keys`): `moduslink` and `extend`, and beside each of them
//! `moduslink-previous` and `extend-previous` during a rotation. `INBOX` is the inbox's file (default `inbox.db`). `RUST_LOG` filters
//! the log.

use std::{env, error::Error, path::Path, time::Duration};

use countersign_inbox::{Delivery, SqliteInbox, sqlx::Sqlite};
use countersign_once::{MemoryStore, Once};
use operations::{Keys, operator, receiver, recorder, schemes};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let variable = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());

    // Before anything is measured.
    let recorder = recorder()?;
    let metrics = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    countersign::metrics::describe();
    countersign_once::metrics::describe();
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });

    let directory = variable("KEYS", "keys");
    let [moduslink, extend] = schemes().map(|scheme| Keys::follow(scheme, Path::new(&directory)));
    let (moduslink, extend) = (moduslink?, extend?);
    let inbox = SqliteInbox::open(variable("INBOX", "inbox.db")).await?.build().await?;
    let work = inbox.work(async |delivery: Delivery<Sqlite>| {
        tracing::info!(id = delivery.entry().id, "handled a delivery from the inbox");
        Ok(())
    });
    let app = receiver(&moduslink, &extend, Once::new(MemoryStore::default())?, inbox);
    let watched = operator(metrics, vec![moduslink.verifier.clone(), extend.verifier.clone()]);
    let (listener, operators) = (
        TcpListener::bind(variable("ADDR", "127.0.0.1:3000")).await?,
        TcpListener::bind(variable("OPERATOR_ADDR", "127.0.0.1:9100")).await?,
    );
    tracing::info!("receiving on http://{}", listener.local_addr()?);
    tracing::info!("metrics on http://{}/metrics, keys on /keys", operators.local_addr()?);
    // Open requests and running handlers finish.
    let (received, watched, worked) = tokio::join!(
        receiver_setup::serve(|shutdown| axum::serve(listener, app).with_graceful_shutdown(shutdown)),
        receiver_setup::serve(|shutdown| axum::serve(operators, watched).with_graceful_shutdown(shutdown)),
        work.run_until(receiver_setup::shutdown()?),
    );
    received?;
    watched?;
    Ok(worked?)
}
