//! `echo 'max_payload: 2MB' > nats.conf; nats-server --jetstream --config nats.conf`, then
//! `cargo run -p jetstream-receiver -- receive` and `cargo run -p jetstream-receiver -- work`
//!
//! With one server, add `jetstream { sync_interval: always }` to its configuration (nats-server 2.10), or a power cut may take
//! deliveries that were acknowledged; with three, use `--replicas 3`.
//!
//! The senders' keys come from the environment, as for `axum-receiver`; `RUST_LOG` filters the log.

use std::{error::Error, time::Duration};

use clap::{Parser, Subcommand};
use jetstream_receiver::{Deliveries, Delivery, Worker, router};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Keeps the deliveries of five senders in a JetStream stream
#[derive(Parser)]
struct Arguments {
    /// The NATS server
    #[arg(
        long,
        env = "NATS_URL",
        global = true,
        default_value = "nats://127.0.0.1:4222",
        hide_env_values = true
    )]
    nats: String,
    /// Hours for which the stream knows a copy of a delivery again: longer than any sender retries
    #[arg(long, global = true, default_value_t = 73)]
    remember_hours: u64,
    /// How many servers of the cluster keep each delivery
    #[arg(long, global = true, default_value_t = 1)]
    replicas: usize,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers each delivery once the stream has it
    Receive {
        /// Where to listen
        #[arg(long, env = "ADDR", default_value = "127.0.0.1:3000")]
        address: String,
    },
    /// Handles deliveries: prints a line for each
    Work,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let remember_for = Duration::from_secs(arguments.remember_hours.saturating_mul(3600));
    let deliveries = Deliveries::open(&arguments.nats, remember_for, arguments.replicas).await?;
    match arguments.command {
        Command::Receive { address } => {
            let app = router(deliveries, receiver_setup::endpoints_from_env()?)?;
            let listener = TcpListener::bind(address).await?;
            tracing::info!("listening on http://{}", listener.local_addr()?);
            let server = |shutdown| axum::serve(listener, app).with_graceful_shutdown(shutdown);
            receiver_setup::serve(server).await?;
        }
        Command::Work => {
            let (stop, worker) = (receiver_setup::shutdown()?, Worker::join(deliveries).await?);
            tokio::select! {
                worked = worker.run(print) => worked?,
                () = stop => {}
            }
        }
    }
    Ok(())
}

async fn print(delivery: Delivery) -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("{} {} {} bytes", delivery.identity(), delivery.sender(), delivery.body().len());
    Ok(())
}
