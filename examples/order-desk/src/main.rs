//! `cargo run -p order-desk -- serve`, then open <http://127.0.0.1:3000>
//!
//! `order-desk list` prints the orders. The senders' keys come from the environment, as for `axum-receiver`; `RUST_LOG`
//! filters the log.

use std::{error::Error, num::ParseFloatError, path::PathBuf, time::Duration};

use axum::Router;
use clap::{Parser, Subcommand};
use countersign_once::Once;
use order_desk::Orders;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// How often expired memories of deliveries are removed.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);

/// The longest wait for the database before a delivery is refused; half of a lease, if that is shorter.
const LONGEST_STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps the orders that five senders tell of
#[derive(Parser)]
struct Arguments {
    /// The SQLite database: a path, or `sqlite:` and a path
    #[arg(long, env = "DATABASE_URL", default_value = "orders.db", global = true, value_parser = database)]
    database: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receives deliveries and shows the orders on a page
    Serve {
        /// Where to listen
        #[arg(long, env = "ADDR", default_value = "127.0.0.1:3000")]
        address: String,
        /// Seconds for which a delivery stays claimed if the process dies while handling it
        #[arg(long, default_value = "30", value_parser = seconds)]
        lease: Duration,
    },
    /// Prints the orders
    List,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { database, command } = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match command {
        Command::List => {
            for order in Orders::open_existing(&database).await?.all().await? {
                println!("{order}");
            }
            Ok(())
        }
        Command::Serve { address, lease } => {
            let orders = Orders::open(&database).await?;
            let _sweeper = orders.store().sweeper(SWEEP_PERIOD);
            let once = Once::builder(orders.store().clone())
                .lease(lease)
                .store_timeout(LONGEST_STORE_TIMEOUT.min(lease.div_f64(2.0)))
                .build()?;
            let app = order_desk::router(orders, once, receiver_setup::endpoints_from_env()?)?;
            serve(app, &address).await
        }
    }
}

async fn serve(app: Router, address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let server = |shutdown| axum::serve(listener, app).with_graceful_shutdown(shutdown);
    Ok(receiver_setup::serve(server).await?)
}

fn database(text: &str) -> Result<PathBuf, &'static str> {
    let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
    match path {
        "" | ":memory:" => Err("name a file: the orders must outlive the process"),
        _ if path.contains("://") => Err("the orders are kept in SQLite: give a path, or sqlite: and a path"),
        _ => Ok(PathBuf::from(path)),
    }
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    let seconds = text.parse().map_err(|error: ParseFloatError| error.to_string())?;
    Ok(Duration::try_from_secs_f64(seconds)?)
}
