//! `cargo run -p custom-sender -- axum`
//!
//! Receives a custom sender, configured in `custom-sender.toml`. With `actix` instead of `axum`, actix-web serves the
//! same endpoints. The file refers to secrets in the environment; an unset variable is an error that names the field:
//!
//! ```sh
//! export ACME_SECRET=$(openssl rand -hex 32 | tee acme.secret) ACME_SECRET_OLD=$(openssl rand -hex 32)
//! export SHOPIFY_SECRET=$(openssl rand -hex 32) STRIPE_SECRET=whsec_$(openssl rand -hex 32)
//! cargo run -p custom-sender -- axum
//! ```
//!
//! In a second terminal, act as the sender:
//!
//! ```sh
//! id=evt_1 timestamp=$(date +%s) body='{"event":"order.created"}'
//! secret=$(cat acme.secret)
//! signature=$(printf %s "$id.$timestamp.$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1)
//! curl -i -H "X-Acme-Id: $id" -H "X-Acme-Timestamp: $timestamp" -H "X-Acme-Signature: v1=$signature" \
//!     -d "$body" http://127.0.0.1:3000/webhooks/acme
//! ```
//!
//! The receiver answers 200 with the fields that the signature covers. With another body, or after five minutes, it
//! answers 401 and logs the reason. `RUST_LOG` filters the log.

use std::{
    error::Error,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
};

use clap::{Parser, ValueEnum};
use custom_sender::{endpoints_from_file, in_actix, in_axum};
use tracing_subscriber::EnvFilter;

/// Receives deliveries from the senders in a configuration file
#[derive(Parser)]
struct Arguments {
    /// The receiver's framework
    #[arg(value_enum)]
    framework: Framework,
    /// The configuration file: endpoints, senders, and references to keys
    #[arg(long, value_name = "PATH", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/custom-sender.toml"))]
    config: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    Axum,
    Actix,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { framework, config, listen } = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let endpoints = endpoints_from_file(&config)?;
    let listener = TcpListener::bind(listen)?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let served = match framework {
        Framework::Axum => serve_axum(listener, in_axum::router(endpoints)),
        Framework::Actix => {
            actix_web::rt::System::new().block_on(async { in_actix::serve(listener, endpoints)?.await })
        }
    };
    Ok(served?)
}

fn serve_axum(listener: TcpListener, app: axum::Router) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    tokio::runtime::Runtime::new()?
        .block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await })
}
