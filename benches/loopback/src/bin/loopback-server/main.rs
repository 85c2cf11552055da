//! `cargo run --release --bin loopback-server -- axum guarded`
//!
//! Runs one server on a free port of 127.0.0.1, with one worker thread. It prints its address first, then answers each
//! line on stdin with its [`Counts`]. It exits when stdin ends, so it never outlives its driver. It installs no `tracing`
//! subscriber, so the figures do not include the cost of logging.

mod actix;
mod axum;
mod counted;

use std::{
    error::Error,
    hint::black_box,
    io,
    net::TcpListener,
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use clap::Parser;
use countersign::{BuildError, Secret, Verifier, senders};
use hmac::{Hmac, Mac};
use loopback::{Counts, Framework, SECRET, Variant, key_schedule};
use sha2::Sha256;

static ACCEPTED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);
static TAKEN: AtomicU64 = AtomicU64::new(0);
static READ: AtomicU64 = AtomicU64::new(0);

static KEY: LazyLock<Hmac<Sha256>> = LazyLock::new(key_schedule);

/// Longer than the README's timeout at the same cost, so that no upload to a busy machine ends in a 408.
const BODY_TIMEOUT: Duration = Duration::from_mins(5);

#[derive(Parser)]
struct Arguments {
    framework: Framework,
    variant: Variant,
    /// Also count the bytes read; never use this while measuring time or memory
    #[arg(long)]
    count: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { framework, variant, count } = Arguments::parse();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    thread::spawn(report_counts);
    match framework {
        Framework::Axum => axum::serve(listener, variant, count),
        Framework::Actix => actix::serve(listener, variant, count),
    }
}

fn report_counts() {
    for _line in io::stdin().lines().map_while(Result::ok) {
        let [accepted, refused, taken, read] =
            [&ACCEPTED, &REFUSED, &TAKEN, &READ].map(|it| it.load(Relaxed));
        match serde_json::to_string(&Counts { accepted, refused, taken, read }) {
            Ok(counts) => println!("{counts}"),
            Err(_) => break,
        }
    }
    process::exit(0);
}

fn verifier() -> Result<Verifier, BuildError> {
    Verifier::builder(senders::github())
        .secret("bench", Secret::new(SECRET).dangerously_accept_placeholder())
        .build()
}

fn accept(body: &[u8]) {
    black_box(body);
    ACCEPTED.fetch_add(1, Relaxed);
}

fn hash_and_accept(body: &[u8]) {
    let mut mac = KEY.clone();
    mac.update(body);
    black_box(mac.finalize());
    accept(body);
}
