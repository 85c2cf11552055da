//! Requests per second, and what of them the guard leaves.

use std::error::Error;

use loopback::Variant;
use serde_json::json;

use crate::{
    Cpus, Settings,
    delivery::Signature,
    report::{Report, median, median_of, rotated},
    server::Server,
    wrk::{self, Connections, Slice},
};

pub(crate) fn run(settings: &Settings, cpus: Cpus, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!(
        "\nthroughput           bytes  requests/s   of hashing    of plain   CPU ns  CPU of hashing  busy"
    );
    for &framework in &settings.frameworks {
        for &size in &settings.sizes {
            let mut slices: Vec<Vec<Slice>> = settings.variants.iter().map(|_| Vec::new()).collect();
            for round in 0..settings.rounds {
                for contestant in rotated(settings.variants.len(), round) {
                    let mut server = Server::start(framework, settings.variants[contestant], cpus)?;
                    server.warm_up(size)?;
                    let kept = Connections::Kept;
                    slices[contestant].push(wrk::slice(
                        &mut server,
                        Signature::Valid,
                        size,
                        kept,
                        (settings, cpus),
                    )?);
                }
            }
            let of = |variant| {
                let place = settings.variants.iter().position(|other| *other == variant)?;
                Some(&slices[place])
            };
            for (variant, own) in settings.variants.iter().zip(&slices) {
                let ratio = |base: Variant| Ratio::new(own, of(base)?);
                let (hashing, plain) = (ratio(Variant::Hashing), ratio(Variant::Plain));
                let (rps, cpu) = (median_of(own, |slice| slice.rps), median_of(own, |slice| slice.cpu_ns));
                let busy = median_of(own, |slice| slice.busy);
                let show = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |it| format!("{it:.3}"));
                println!(
                    "{:<15} {size:>10} {rps:>11.0} {:>12} {:>11} {cpu:>8.0} {:>15} {busy:>5.2}",
                    format!("{framework} {variant}"),
                    show(hashing.as_ref().map(|it| it.rps)),
                    show(plain.as_ref().map(|it| it.rps)),
                    show(hashing.as_ref().map(|it| it.cpu)),
                );
                report.row(json!({
                    "group": "throughput",
                    "name": format!("{framework} {variant}"),
                    "framework": framework.to_string(),
                    "variant": variant.to_string(),
                    "size": size,
                    "requests_per_second": rps,
                    "median_ns": 1e9 / rps,
                    "cpu_ns": cpu,
                    "server_busy": busy,
                    "p50_us": median_of(own, |slice| slice.p50_us),
                    "p99_us": median_of(own, |slice| slice.p99_us),
                    "ratio_to_hashing": hashing.as_ref().map(|it| it.rps),
                    "ratio_to_hashing_by_round": hashing.as_ref().map(|it| &it.by_round),
                    "cpu_ratio_to_hashing": hashing.as_ref().map(|it| it.cpu),
                    "ratio_to_plain": plain.as_ref().map(|it| it.rps),
                    "ratio_to_plain_by_round": plain.as_ref().map(|it| &it.by_round),
                    "cpu_ratio_to_plain": plain.as_ref().map(|it| it.cpu),
                    "rounds": own.iter().map(|slice| slice.rps).collect::<Vec<_>>(),
                }));
            }
        }
    }
    Ok(())
}

/// How much of another's speed one has: 1 is as fast, less is slower.
pub(crate) struct Ratio {
    /// Of the medians of requests per second.
    pub(crate) rps: f64,
    /// Of the medians of CPU time for a request, the other's over one's own.
    pub(crate) cpu: f64,
    /// Each round's, in order: their spread is the noise.
    pub(crate) by_round: Vec<f64>,
}

impl Ratio {
    pub(crate) fn new(own: &[Slice], base: &[Slice]) -> Option<Self> {
        let rps = |slices: &[Slice]| median_of(slices, |slice| slice.rps);
        let cpu = |slices: &[Slice]| median_of(slices, |slice| slice.cpu_ns);
        let by_round: Vec<f64> = own.iter().zip(base).map(|(own, base)| own.rps / base.rps).collect();
        median(by_round.clone()).is_finite().then(|| Self {
            rps: rps(own) / rps(base),
            cpu: cpu(base) / cpu(own),
            by_round,
        })
    }
}
