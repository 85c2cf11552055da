//! Runs one case between two marks, so that callgrind counts its instructions and nothing else.
//!
//! `benches/instructions.sh` runs every case and compares the counts with `benches/baseline.json`. To run one by hand:
//!
//! ```sh
//! cd benches && cargo build --release --package instructions
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*between_the_marks*' \
//!   target/release/instructions ours 'core github accepted 1024 1'
//! ```

mod bare;
mod case;
mod sender;

use std::{env, error::Error, hint::black_box, process::ExitCode};

use crate::case::Case;

/// Only the last run is counted. The earlier ones detect the CPU's features and fill the allocator's caches.
const RUNS: usize = 4;

fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => case::all().for_each(|case| println!("{case}")),
        ["features"] => println!("{}", features()),
        ["ours", name] => count(Case::named(name)?.ours()?),
        ["bare", name] => count(Case::named(name)?.bare()?),
        _ => return Err("usage: instructions (list | features | ours CASE | bare CASE)".into()),
    }
    Ok(())
}

fn count(mut once: Box<dyn FnMut()>) {
    (1..RUNS).for_each(|_| once());
    between_the_marks(&mut *once);
}

/// Named by callgrind's `--toggle-collect`, which counts from the first instruction of this function to the last.
#[inline(never)]
fn between_the_marks(once: &mut dyn FnMut()) {
    once();
    // Prevents a tail call, which would end this function before the call above runs.
    black_box(());
}

/// The CPU's features, as emulated under valgrind. The hashes and `memcpy` choose their code by them.
fn features() -> String {
    #[cfg(target_arch = "x86_64")]
    let all = [
        ("sha", is_x86_feature_detected!("sha")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("adx", is_x86_feature_detected!("adx")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let all = [(env::consts::ARCH, true)];
    all.map(|(name, has)| format!("{}{name}", if has { '+' } else { '-' })).join(" ")
}
