//! Measures the CPU time of a request, and the throughput of a guarded server relative to the others.

use std::error::Error;

use loopback::Variant;
use serde_json::json;

use crate::{
    Cpus, Settings,
    delivery::Signature,
    report::{Report, median, median_of},
    server::Server,
    wrk::{self, Connections, Slice},
};

pub(crate) fn run(settings: &Settings, cpus: Cpus, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!("\nthroughput           bytes  requests/CPU s   of hashing    of plain   CPU ns  busy");
    for &framework in &settings.frameworks {
        for &size in &settings.sizes {
            let start = |&variant: &Variant| Ok((Server::start(framework, variant, cpus)?, Signature::Valid));
            let start = || settings.variants.iter().map(start).collect::<Result<Vec<_>, Box<dyn Error>>>();
            let slices = rounds(start, size, Connections::Kept, (settings, cpus))?;
            let of = |variant| {
                let place = settings.variants.iter().position(|other| *other == variant)?;
                Some(&slices[place])
            };
            for (variant, own) in settings.variants.iter().zip(&slices) {
                let ratio = |base: Variant| Some(Ratio::new(own, of(base)?));
                let (hashing, plain) = (ratio(Variant::Hashing), ratio(Variant::Plain));
                let cpu = median_of(own, |slice| slice.cpu_ns);
                let busy = median_of(own, |slice| slice.busy);
                let show = |ratio: &Option<Ratio>| {
                    ratio.as_ref().map_or_else(|| "-".to_owned(), |it| format!("{:.3}", it.median))
                };
                println!(
                    "{:<15} {size:>10} {:>15.0} {:>12} {:>11} {cpu:>8.0} {busy:>5.2}",
                    format!("{framework} {variant}"),
                    1e9 / cpu,
                    show(&hashing),
                    show(&plain),
                );
                report.row(json!({
                    "group": "throughput",
                    "name": format!("{framework} {variant}"),
                    "framework": framework.to_string(),
                    "variant": variant.to_string(),
                    "size": size,
                    "requests_per_cpu_second": 1e9 / cpu,
                    "median_ns": cpu,
                    "server_busy": busy,
                    "ratio_to_hashing": hashing.as_ref().map(|it| it.median),
                    "ratio_to_hashing_by_round": hashing.as_ref().map(|it| &it.by_round),
                    "ratio_to_plain": plain.as_ref().map(|it| it.median),
                    "ratio_to_plain_by_round": plain.as_ref().map(|it| &it.by_round),
                }));
            }
        }
    }
    Ok(())
}

/// The slices of each contestant, in the order of `start`.
pub(crate) fn rounds(
    start: impl Fn() -> Result<Vec<(Server, Signature)>, Box<dyn Error>>,
    size: usize,
    connections: Connections,
    (settings, cpus): (&Settings, Cpus),
) -> Result<Vec<Vec<Slice>>, Box<dyn Error>> {
    let mut slices = Vec::new();
    for _ in 0..settings.rounds {
        let mut servers = start()?;
        let mut slice = || wrk::slices(&mut servers, size, connections, (settings, cpus));
        // The first slice fills buffers and caches and does not count, because servers run longer than they start.
        slice()?;
        let round = slice()?;
        slices.resize_with(round.len(), Vec::new);
        for (all, slice) in slices.iter_mut().zip(round) {
            all.push(slice);
        }
    }
    Ok(slices)
}

/// Requests of one contestant for each request of another, in the same CPU time. Less than 1 is slower.
pub(crate) struct Ratio {
    pub(crate) median: f64,
    /// The ratio of each round, in order. Their spread is the noise.
    pub(crate) by_round: Vec<f64>,
}

impl Ratio {
    pub(crate) fn new(own: &[Slice], base: &[Slice]) -> Self {
        let by_round: Vec<f64> = own.iter().zip(base).map(|(own, base)| base.cpu_ns / own.cpu_ns).collect();
        Self { median: median(by_round.clone()), by_round }
    }
}
