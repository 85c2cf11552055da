//! Counts rejected requests per second of CPU time, against accepted requests whose connections close as well.

use std::error::Error;

use loopback::Variant;
use serde_json::json;

use crate::{
    Cpus, Settings,
    delivery::Signature,
    report::{Report, median_of},
    server::Server,
    throughput::{Ratio, rounds},
    wrk::Connections,
};

const CONTESTANTS: [Signature; 4] =
    [Signature::Valid, Signature::Missing, Signature::Malformed, Signature::Wrong];

pub(crate) fn run(settings: &Settings, cpus: Cpus, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!("\nrejection            bytes  requests/CPU s  of accepted    CPU ns  busy  resets");
    for &framework in &settings.frameworks {
        for &size in &settings.refused_sizes {
            let start = |signature| Ok((Server::start(framework, Variant::Guarded, cpus)?, signature));
            let start = || CONTESTANTS.map(start).into_iter().collect::<Result<Vec<_>, Box<dyn Error>>>();
            let slices = rounds(start, size, Connections::Closed, (settings, cpus))?;
            for (signature, own) in CONTESTANTS.iter().zip(&slices) {
                let ratio = Ratio::new(own, &slices[0]);
                let cpu = median_of(own, |slice| slice.cpu_ns);
                let busy = median_of(own, |slice| slice.busy);
                let resets = median_of(own, |slice| slice.resets);
                let name = format!("{framework} {}", signature.name());
                println!(
                    "{name:<15} {size:>10} {:>15.0} {:>12.3} {cpu:>9.0} {busy:>5.2} {resets:>7.3}",
                    1e9 / cpu,
                    ratio.median,
                );
                report.row(json!({
                    "group": "rejection",
                    "name": name,
                    "framework": framework.to_string(),
                    "signature": signature.name(),
                    "size": size,
                    "requests_per_cpu_second": 1e9 / cpu,
                    "median_ns": cpu,
                    "server_busy": busy,
                    "client_resets_per_request": resets,
                    "ratio_to_accepted": ratio.median,
                    "ratio_to_accepted_by_round": ratio.by_round,
                }));
            }
        }
    }
    Ok(())
}
