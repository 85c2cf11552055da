//! Requests per second refused, beside requests accepted on connections that close as well.

use std::error::Error;

use loopback::Variant;
use serde_json::json;

use crate::{
    Cpus, Settings,
    delivery::Signature,
    report::{Report, median_of, rotated},
    server::Server,
    throughput::Ratio,
    wrk::{self, Connections, Slice},
};

const CONTESTANTS: [Signature; 4] =
    [Signature::Valid, Signature::Missing, Signature::Malformed, Signature::Wrong];

pub(crate) fn run(settings: &Settings, cpus: Cpus, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!(
        "\nrejection            bytes  requests/s  of accepted    CPU ns  CPU of accepted  busy  resets"
    );
    for &framework in &settings.frameworks {
        for &size in &settings.refused_sizes {
            let mut slices: [Vec<Slice>; CONTESTANTS.len()] = Default::default();
            for round in 0..settings.rounds {
                for contestant in rotated(CONTESTANTS.len(), round) {
                    let mut server = Server::start(framework, Variant::Guarded, cpus)?;
                    server.warm_up(size)?;
                    let (signature, closed) = (CONTESTANTS[contestant], Connections::Closed);
                    slices[contestant].push(wrk::slice(
                        &mut server,
                        signature,
                        size,
                        closed,
                        (settings, cpus),
                    )?);
                }
            }
            for (signature, own) in CONTESTANTS.iter().zip(&slices) {
                let ratio = Ratio::new(own, &slices[0]).ok_or("no slices")?;
                let (rps, cpu) = (median_of(own, |slice| slice.rps), median_of(own, |slice| slice.cpu_ns));
                let busy = median_of(own, |slice| slice.busy);
                let resets = median_of(own, |slice| slice.resets);
                let name = format!("{framework} {}", signature.name());
                println!(
                    "{name:<15} {size:>10} {rps:>11.0} {:>12.3} {cpu:>9.0} {:>16.3} {busy:>5.2} {resets:>7.3}",
                    ratio.rps, ratio.cpu,
                );
                report.row(json!({
                    "group": "rejection",
                    "name": name,
                    "framework": framework.to_string(),
                    "signature": signature.name(),
                    "size": size,
                    "requests_per_second": rps,
                    "median_ns": 1e9 / rps,
                    "cpu_ns": cpu,
                    "server_busy": busy,
                    "client_resets_per_request": resets,
                    "ratio_to_accepted": ratio.rps,
                    "ratio_to_accepted_by_round": ratio.by_round,
                    "cpu_ratio_to_accepted": ratio.cpu,
                    "rounds": own.iter().map(|slice| slice.rps).collect::<Vec<_>>(),
                }));
            }
        }
    }
    Ok(())
}
