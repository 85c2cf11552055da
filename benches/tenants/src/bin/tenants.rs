//! Times the lookup of a cached tenant, and guards with and without tenants.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p tenants --bin tenants [-- SAMPLES]
//! ```

use std::{error::Error, time::Instant};

use in_process::{
    measure::{Figures, Timed, interleaved},
    report,
};
use serde::Serialize;
use tenants::contestants;

#[derive(Serialize)]
struct Row {
    group: &'static str,
    name: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

fn main() -> Result<(), Box<dyn Error>> {
    let samples = report::samples()?;
    let contestants = contestants()?;
    let mut rows = Vec::new();
    for group in contestants.chunk_by(|one, next| one.group == next.group) {
        let mut timed: Vec<Timed<'_>> = group
            .iter()
            .map(|contestant| -> Timed<'_> {
                Box::new(|times| {
                    let start = Instant::now();
                    (0..times).for_each(|_| (contestant.work)());
                    start.elapsed()
                })
            })
            .collect();
        for (contestant, figures) in group.iter().zip(interleaved(&mut timed, samples)) {
            println!("{:24} {:32} {:>9.1} ns", contestant.group, contestant.name, figures.median_ns);
            rows.push(Row { group: contestant.group, name: contestant.name, figures });
        }
    }
    let notes = [
        "10,000 tenants are cached; the name is in a header or a path of 17 bytes; a request is built in the time of its guard",
    ];
    report::write("tenants", "tenants", samples, &notes, &rows)
}
