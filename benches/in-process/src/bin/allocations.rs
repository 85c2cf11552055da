//! Counts the heap allocations of one request, for the cases and contestants of `service`. Every run gives the same.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p in-process --bin allocations
//! ```

use std::error::Error;

use in_process::{
    contest::Contestant,
    delivery::Delivery,
    matrix::{self, Case},
    report,
};
use serde::Serialize;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Counts for the second request, to leave out one-time allocations.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    case: Case,
    name: &'static str,
    allocations: u64,
    allocated_bytes: u64,
    added_allocations: i64,
    added_bytes: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let _profiler = dhat::Profiler::builder().testing().build();
    let mut rows = Vec::new();
    matrix::each(|case, contestants, delivery| {
        let (mut plain_allocations, mut plain_bytes) = (None, None);
        for contestant in contestants {
            let (allocations, allocated_bytes) = counted(contestant, delivery);
            let added = |count: u64, plain: u64| count.cast_signed() - plain.cast_signed();
            let row = Row {
                case,
                name: contestant.name,
                allocations,
                allocated_bytes,
                added_allocations: added(allocations, *plain_allocations.get_or_insert(allocations)),
                added_bytes: added(allocated_bytes, *plain_bytes.get_or_insert(allocated_bytes)),
            };
            println!("{case} {:26} {allocations:>4} {:>+4}", row.name, row.added_allocations);
            rows.push(row);
        }
    })?;
    report::write("in-process", "allocations", 1, &matrix::NOTES, &rows)
}

fn counted(contestant: &mut Contestant, delivery: &Delivery) -> (u64, u64) {
    let mut counted = (0, 0);
    for _ in 0..2 {
        (contestant.run)(delivery, 1, &mut |work| {
            let before = dhat::HeapStats::get();
            work();
            let after = dhat::HeapStats::get();
            counted = (after.total_blocks - before.total_blocks, after.total_bytes - before.total_bytes);
        });
    }
    counted
}
