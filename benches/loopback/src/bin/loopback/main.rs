//! `benches/loopback.sh`, or `benches/loopback.sh --quick` for a trial of a minute or two
//!
//! Compares whole servers over loopback. Each contestant is a separate process (`loopback-server`, one worker thread) under
//! the load of its own `wrk`. The contestants of one comparison run at the same time on one CPU, and the loads on another.
//! They run in short slices, each with fresh servers that an earlier slice has warmed up. So a slow spell of the machine,
//! which lasts seconds, hits all contestants, and the memory layout of one process does not decide. As contestants share a
//! CPU, the figure is not requests per second but CPU time per request, and its inverse, requests per second of CPU time.
//! Each ratio is the median of the ratios of the rounds.
//!
//! - `throughput`: requests on kept connections; `ratio_to_hashing` and `ratio_to_plain`.
//! - `rejection`: rejected requests, each on its own connection because a rejection closes it, against accepted requests with
//!   `Connection: close`. The server counts them, because a client that is still sending may see a reset instead of an answer.
//! - `rejection_bytes`: how much of a rejected body was read.
//! - `memory`: the peak of many uploads that are all in flight at once.
//!
//! Rows go to `benches/results/loopback.json`, or to `benches/target/loopback-quick.json` for a quick run.

mod delivery;
mod memory;
mod rejection;
mod rejection_bytes;
mod report;
mod server;
mod throughput;
mod wrk;

use std::{error::Error, path::PathBuf, thread};

use clap::{Parser, ValueEnum};
use loopback::{Framework, Variant};

use crate::report::Report;

#[derive(Parser)]
struct Settings {
    /// Run one round of one second each and a quarter of the uploads, to check that everything works
    #[arg(long)]
    quick: bool,
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// The length of a slice; each round has a slice to warm up and one that counts
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// The number of connections that wrk keeps open
    #[arg(long, default_value_t = 16)]
    connections: u32,
    #[arg(long, value_delimiter = ',', default_value = "throughput,rejection,rejection-bytes,memory")]
    parts: Vec<Part>,
    #[arg(long, value_delimiter = ',', default_value = "axum,actix")]
    frameworks: Vec<Framework>,
    /// The contestants for the throughput
    #[arg(long, value_delimiter = ',', default_value = "plain,hashing,layered,guarded")]
    variants: Vec<Variant>,
    /// The body sizes for the throughput
    #[arg(long, value_delimiter = ',', default_value = "300,1024,16384,1048576")]
    sizes: Vec<usize>,
    /// The body sizes for the rejections
    #[arg(long, value_delimiter = ',', default_value = "16384,1048576")]
    refused_sizes: Vec<usize>,
    /// The number of uploads in flight at once
    #[arg(long, default_value_t = 200)]
    uploads: usize,
    /// The chunk sizes of the uploads in bytes; 0 sends a Content-Length instead
    #[arg(long, value_delimiter = ',', default_value = "0,1024,16")]
    chunks: Vec<usize>,
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    Throughput,
    Rejection,
    RejectionBytes,
    Memory,
}

/// The CPUs to which the two sides are bound.
#[derive(Clone, Copy)]
struct Cpus {
    server: usize,
    load: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::parse();
    if settings.quick {
        (settings.rounds, settings.seconds) = (1, 1);
        settings.uploads = settings.uploads.div_ceil(4);
    }
    wrk::version()?;
    // Any two available CPUs: the choice makes no difference to a comparison.
    let last = thread::available_parallelism()?.get() - 1;
    let cpus = Cpus { server: 0, load: last.min(1) };
    let mut report = Report::new(&settings, cpus)?;
    for part in &settings.parts {
        match part {
            Part::Throughput => throughput::run(&settings, cpus, &mut report)?,
            Part::Rejection => rejection::run(&settings, cpus, &mut report)?,
            Part::RejectionBytes => rejection_bytes::run(&settings, cpus, &mut report)?,
            Part::Memory => memory::run(&settings, cpus, &mut report)?,
        }
    }
    let output = settings.output.unwrap_or_else(|| report::default_path(settings.quick));
    report.write(&output)?;
    println!("\nwritten to {}", output.display());
    Ok(())
}
