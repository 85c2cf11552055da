//! Machine-readable rows, and their medians.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{Cpus, Settings, wrk};

pub(crate) struct Report {
    settings: Value,
    machine: Value,
    rows: Vec<Value>,
}

impl Report {
    pub(crate) fn new(settings: &Settings, cpus: Cpus) -> Result<Self, Box<dyn Error>> {
        let siblings = format!("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpus.server);
        let cpu_model = fs::read_to_string("/proc/cpuinfo")?.lines().find_map(|line| {
            Some(line.strip_prefix("model name")?.trim_start_matches([' ', '\t', ':']).to_owned())
        });
        Ok(Self {
            settings: json!({
                "arguments": env::args().skip(1).collect::<Vec<_>>(),
                "quick": settings.quick,
                "rounds": settings.rounds,
                "seconds": settings.seconds,
                "connections": settings.connections,
                "uploads": settings.uploads,
            }),
            machine: json!({
                "cpu": cpu_model,
                "kernel": fs::read_to_string("/proc/sys/kernel/osrelease")?.trim_end(),
                "server_cpu": cpus.server,
                "load_cpu": cpus.load,
                "server_cpu_thread_siblings": fs::read_to_string(siblings).ok().map(|list| list.trim_end().to_owned()),
                "load_average_at_start": fs::read_to_string("/proc/loadavg")?.trim_end(),
                "wrk": wrk::version()?,
            }),
            rows: Vec::new(),
        })
    }

    pub(crate) fn row(&mut self, row: Value) {
        self.rows.push(row);
    }

    pub(crate) fn write(self, path: &Path) -> Result<(), Box<dyn Error>> {
        let Self { settings, machine, rows } = self;
        let report = json!({
            "bench": "loopback",
            "command": "benches/loopback.sh",
            "settings": settings,
            "machine": machine,
            "rows": rows,
        });
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, serde_json::to_string_pretty(&report)? + "\n")?)
    }
}

/// A quick run must not replace measured results.
pub(crate) fn default_path(quick: bool) -> PathBuf {
    let file = if quick { "target/loopback-quick.json" } else { "results/loopback.json" };
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("").join(file)
}

/// The order of a round. Each round begins with another contestant, so that none is always first.
pub(crate) fn rotated(contestants: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..contestants).map(move |place| (place + round) % contestants)
}

/// The median of no values is NaN.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.get(values.len().saturating_sub(1) / 2), values.get(values.len() / 2)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

pub(crate) fn median_of<T>(values: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    median(values.iter().map(figure).collect())
}
