//! `cargo run -p rotating-receiver -- axum rotating.toml`
//!
//! Serves `/webhooks` on `ADDR` (default `127.0.0.1:3000`) with the verifier that the configuration file states, and follows the file
//! and the secrets that it names. With `actix` instead of `axum`, actix-web serves. The README shows how to rotate. `RUST_LOG` filters
//! the log.

use std::{env, error::Error, net::TcpListener, path::PathBuf};

use clap::{Parser, ValueEnum};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
struct Arguments {
    framework: Framework,
    config: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    Axum,
    Actix,
}

fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let arguments = Arguments::parse();
    // Dropping it would end the watching.
    let (verifier, _watching) = rotating_receiver::follow(arguments.config)?;
    let listener = TcpListener::bind(env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned()))?;
    tracing::info!("listening on http://{}: {:?}", listener.local_addr()?, verifier.current());
    match arguments.framework {
        Framework::Axum => {
            listener.set_nonblocking(true)?;
            tokio::runtime::Runtime::new()?.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, rotating_receiver::router(verifier)).await
            })?;
        }
        Framework::Actix => {
            actix_web::rt::System::new()
                .block_on(async { rotating_receiver::serve(listener, verifier)?.await })?;
        }
    }
    Ok(())
}
