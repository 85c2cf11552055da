//! `benches/loopback.sh`, or `benches/loopback.sh --quick` for a trial of a minute or two
//!
//! Whole servers over loopback: each contestant is a process of its own (`loopback-server`, one worker thread), and has a `wrk` of
//! its own as its load. The contestants of one comparison run at the same time on one CPU, the loads on another, in short
//! slices, with fresh servers for each, which a slice before it has warmed up: a slow spell of the machine, which is one of
//! seconds, hits all of them, and the luck of one process's layout does not decide. So the figure is not the requests of a
//! second, which they share, but the CPU time of a request, and how many of them make a second; ratios are medians of each
//! round's own.
//!
//! - `throughput`: requests on kept connections; `ratio_to_hashing` and `ratio_to_plain`.
//! - `rejection`: requests refused, each on a connection of its own, because a refusal closes it: beside accepted requests that
//!   say `Connection: close`. Counted by the server, since a client that is still sending may see a reset and no answer.
//! - `rejection_bytes`: how much of a refused body was read.
//! - `memory`: the peak of many uploads that are all in flight at once.
//!
//! Rows go to `benches/results/loopback.json`, those of a quick run to `benches/target/loopback-quick.json`.

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
    /// One round of one second each, and a quarter of the uploads: shows that all works, and no more
    #[arg(long)]
    quick: bool,
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// The length of a slice; each round has one to warm up and one that counts
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Connections that wrk keeps open
    #[arg(long, default_value_t = 16)]
    connections: u32,
    #[arg(long, value_delimiter = ',', default_value = "throughput,rejection,rejection-bytes,memory")]
    parts: Vec<Part>,
    #[arg(long, value_delimiter = ',', default_value = "axum,actix")]
    frameworks: Vec<Framework>,
    /// The contestants of the throughput
    #[arg(long, value_delimiter = ',', default_value = "plain,hashing,layered,guarded")]
    variants: Vec<Variant>,
    /// Body sizes of the throughput
    #[arg(long, value_delimiter = ',', default_value = "300,1024,16384,1048576")]
    sizes: Vec<usize>,
    /// Body sizes of the rejections
    #[arg(long, value_delimiter = ',', default_value = "16384,1048576")]
    refused_sizes: Vec<usize>,
    /// Uploads in flight at once
    #[arg(long, default_value_t = 200)]
    uploads: usize,
    /// How the uploads are sent: in chunks of so many bytes, or with a Content-Length for 0
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

/// The CPUs that the two sides are bound to.
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
    // Two CPUs that are there; which ones makes no difference to a comparison.
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
