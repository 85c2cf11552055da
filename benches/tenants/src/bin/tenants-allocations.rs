//! Counts the heap allocations of the lookup of a cached tenant, and of guards with and without tenants.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p tenants --bin tenants-allocations
//! ```

use std::error::Error;

use dhat::HeapStats;
use in_process::report;
use serde::Serialize;
use tenants::contestants;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// As many as make the cache's housekeeping disappear in the rounding.
const TIMES: u32 = 5_000;

#[derive(Serialize)]
struct Row {
    group: &'static str,
    name: &'static str,
    unit: &'static str,
    figure: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let _profiler = dhat::Profiler::builder().testing().build();
    let mut rows = Vec::new();
    for contestant in contestants()? {
        let run = || (0..TIMES).for_each(|_| (contestant.work)());
        run();
        let before = HeapStats::get().total_blocks;
        run();
        let counted = u32::try_from(HeapStats::get().total_blocks - before)?;
        let figure = (f64::from(counted) / f64::from(TIMES) * 10.0).round() / 10.0;
        println!("{:24} {:32} {figure:>6.1}", contestant.group, contestant.name);
        rows.push(Row { group: contestant.group, name: contestant.name, unit: "allocations", figure });
    }
    report::write("tenants", "tenants-allocations", 1, &[] as &[&str], &rows)
}
