//! The report of a benchmark: a JSON file of flat rows, with the command to repeat it.

use std::{env, error::Error, fs, path::Path};

use serde::Serialize;

const LOCK_FILE: &str = include_str!("../../Cargo.lock");
const NAMED: [&str; 11] = [
    "actix-web",
    "aws-lc-rs",
    "axum",
    "ed25519-dalek",
    "hmac",
    "rsa",
    "sha2",
    "standardwebhooks",
    "svix",
    "tower",
    "webhook-verify",
];
const SAMPLES: usize = 101;

/// The number of samples of each contestant: the first argument, or 101.
pub fn samples() -> Result<usize, String> {
    let Some(argument) = env::args().nth(1) else {
        return Ok(SAMPLES);
    };
    argument
        .parse()
        .ok()
        .filter(|&samples| samples > 0)
        .ok_or(format!("{argument} is not a number of samples"))
}

#[derive(Serialize)]
struct Report<'r, N, R> {
    bench: &'static str,
    command: String,
    cpu: String,
    versions: Vec<String>,
    samples: usize,
    notes: &'r [N],
    rows: &'r [R],
}

/// Writes `benches/results/<bench>.json`, for the binary `bench` of this package.
pub fn write<N: Serialize, R: Serialize>(
    package: &str,
    bench: &'static str,
    samples: usize,
    notes: &[N],
    rows: &[R],
) -> Result<(), Box<dyn Error>> {
    let command =
        format!("cargo run --release --manifest-path benches/Cargo.toml -p {package} --bin {bench}");
    let report = Report { bench, command, cpu: cpu(), versions: versions(), samples, notes, rows };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    fs::create_dir_all(&folder)?;
    let file = folder.join(bench).with_extension("json");
    fs::write(&file, serde_json::to_string_pretty(&report)? + "\n")?;
    println!("{} rows in {}", rows.len(), file.display());
    Ok(())
}

/// Lines such as `svix 2.9.1` for the libraries measured. A library in two versions has two lines.
fn versions() -> Vec<String> {
    let packages = LOCK_FILE.split("[[package]]").filter_map(|package| {
        let field = |name: &str| package.lines().find_map(|line| line.strip_prefix(name)?.split('"').nth(1));
        Some((field("name = ")?, field("version = ")?))
    });
    let named = packages.filter(|(name, _)| NAMED.contains(name));
    named.map(|(name, version)| format!("{name} {version}")).collect()
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    model.unwrap_or("unknown").to_owned()
}
