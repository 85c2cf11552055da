//! Counts the heap allocations of the cached lookup of a tenant, alone and as part of a request of 1 KiB.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p in-process --bin tenants-allocations
//! ```

use std::error::Error;

use in_process::{
    contest, report,
    tenants::{FRAMEWORKS, Known, name},
};
use serde::Serialize;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[derive(Serialize)]
struct Row {
    group: &'static str,
    name: &'static str,
    figure: u64,
    unit: &'static str,
}

/// moka now and then does its housekeeping within a get, so the least of so many counts.
const TIMES: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let _profiler = dhat::Profiler::builder().testing().build();
    let known = Known::new()?;
    let mut rows = Vec::new();
    let mut row = |group, name, figure| {
        println!("{group:20} {name:30} {figure:>4}");
        rows.push(Row { group, name, figure, unit: "allocations" });
    };
    let tenant = name(77);
    row("the lookup alone", "a bare moka get", least(|| counted(|| known.bare_lookup(&tenant))));
    row("the lookup alone", "countersign-tenants", least(|| counted(|| known.lookup(&tenant))));
    for (group, framework) in FRAMEWORKS {
        let (mut contestants, delivery) = known.services(framework)?;
        contest::check(&mut contestants, &delivery)?;
        for contestant in &mut contestants {
            let figure = least(|| {
                let mut figure = 0;
                (contestant.run)(&delivery, 1, &mut |work| figure = counted(work));
                figure
            });
            row(group, contestant.name, figure);
        }
    }
    report::write("in-process", "tenants-allocations", TIMES, &[] as &[&str], &rows)
}

fn least(mut counted: impl FnMut() -> u64) -> u64 {
    (0..TIMES).map(|_| counted()).min().unwrap_or_default()
}

fn counted(mut work: impl FnMut()) -> u64 {
    let before = dhat::HeapStats::get().total_blocks;
    work();
    dhat::HeapStats::get().total_blocks - before
}
