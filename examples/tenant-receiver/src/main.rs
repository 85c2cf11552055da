//! `cargo run -p tenant-receiver -- serve`, and `add` and `revoke` while it runs: see the README.
#![expect(clippy::print_stdout, reason = "a command prints")]

use std::{error::Error, io::Read, net::TcpListener, path::PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use tenant_receiver::{Shops, serve_actix, serve_axum, tenants};
use tracing_subscriber::EnvFilter;

/// Receives Shopify's deliveries for many shops
#[derive(Parser)]
struct Arguments {
    /// The SQLite database
    #[arg(long, default_value = "shops.db", global = true)]
    database: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receives deliveries at /webhooks/<shop>
    Serve {
        /// The framework
        #[arg(default_value = "axum")]
        framework: Framework,
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:3000")]
        address: String,
    },
    /// Adds the shops on the standard input, a name and a secret in each line
    Add,
    /// Revokes a shop
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    Axum,
    Actix,
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { database, command } = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let shops = Shops::open(&database).await?;
    match command {
        Command::Serve { framework, address } => {
            let listener = TcpListener::bind(address)?;
            println!("http://{}", listener.local_addr()?);
            let tenants = tenants(shops.clone())?;
            tokio::spawn(shops.follow(tenants.clone()));
            match framework {
                Framework::Axum => serve_axum(listener, tenants).await?,
                Framework::Actix => serve_actix(listener, tenants).await?,
            }
        }
        Command::Add => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            let lines = (1..).zip(text.lines());
            // The message must not show the line, which has a secret.
            let added: Result<Vec<_>, String> = lines
                .map(|(number, line): (u32, &str)| {
                    line.split_once(' ').ok_or_else(|| format!("line {number} is not a name and a secret"))
                })
                .collect();
            let added = added?;
            shops.add(&added).await?;
            println!("{} shops added", added.len());
        }
        Command::Revoke { name } => {
            if !shops.revoke(&name).await? {
                return Err(format!("there is no shop {name:?}").into());
            }
            println!("{name} revoked");
        }
    }
    Ok(())
}
