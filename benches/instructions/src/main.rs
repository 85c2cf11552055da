//! Runs one case between two marks, so that callgrind counts its instructions and nothing else.
//!
//! `benches/instructions.sh` runs every case and compares the counts with `benches/baseline.json`. One by hand:
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

/// All but the last detect the CPU's features and fill the allocator's caches; the last is counted.
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
        _ => return Err("list, features, ours CASE, or bare CASE".into()),
    }
    Ok(())
}

fn count(mut once: Box<dyn FnMut()>) {
    (1..RUNS).for_each(|_| once());
    between_the_marks(&mut *once);
}

/// What callgrind's `--toggle-collect` names: collection is on from its first instruction to its last.
#[inline(never)]
fn between_the_marks(once: &mut dyn FnMut()) {
    once();
    // Without this the call above would be a jump, and the function would have ended before it.
    black_box(());
}

/// What the CPU says it has: under valgrind, what valgrind emulates. The hashes and `memcpy` choose their code by it.
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
