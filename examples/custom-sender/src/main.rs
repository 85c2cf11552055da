//! `cargo run -p custom-sender -- axum`
//!
//! A sender of your own from `custom-sender.toml`; `actix` in the place of `axum` serves the same by actix-web. The file
//! takes its secrets from the environment, and a variable that is not set is an error that names the field:
//!
//! ```sh
//! export ACME_SECRET=acme-demo ACME_SECRET_OLD=acme-demo-old SHOPIFY_SECRET=shop-demo STRIPE_SECRET=whsec_demo
//! cargo run -p custom-sender -- axum
//! ```
//!
//! In a second terminal, be the sender:
//!
//! ```sh
//! id=evt_1 timestamp=$(date +%s) body='{"event":"order.created"}'
//! signature=$(printf %s "$id.$timestamp.$body" | openssl dgst -sha256 -hmac acme-demo -r | cut -d ' ' -f 1)
//! curl -i -H "X-Acme-Id: $id" -H "X-Acme-Timestamp: $timestamp" -H "X-Acme-Signature: v1=$signature" \
//!     -d "$body" http://127.0.0.1:3000/webhooks/acme
//! ```
//!
//! It answers 200 with what the signature vouches for. With another body, or after five minutes, the same is a 401, while
//! the receiver's log says why. `RUST_LOG` sets what is logged.

use std::{
    error::Error,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
};

use clap::{Parser, ValueEnum};
use custom_sender::{endpoints_from_file, in_actix, in_axum};
use tracing_subscriber::EnvFilter;

/// Receives the deliveries of senders that a config file states.
#[derive(Parser)]
struct Arguments {
    /// The receiver's framework
    #[arg(value_enum)]
    framework: Framework,
    /// The endpoints, their senders and where the keys are
    #[arg(long, value_name = "PATH", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/custom-sender.toml"))]
    config: PathBuf,
    /// Where to listen
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
