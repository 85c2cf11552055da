//! Times requests through axum and actix-web, with guards and without, for each size, number of chunks and handler.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p in-process --bin service [-- SAMPLES]
//! ```

use std::error::Error;

use in_process::{
    contest::{self, Contestant},
    delivery::Delivery,
    matrix::{self, Case, Row},
    measure::{Timed, interleaved},
    report,
};

fn main() -> Result<(), Box<dyn Error>> {
    let samples = report::samples()?;
    let mut rows = Vec::new();
    matrix::each(|case, contestants, delivery| {
        contestants.push(contest::hash_alone());
        rows.extend(measured(case, contestants, delivery, samples));
        contestants.pop();
    })?;
    report::write("in-process", "service", samples, &matrix::NOTES, &rows)
}

fn measured(case: Case, contestants: &mut [Contestant], delivery: &Delivery, samples: usize) -> Vec<Row> {
    let names: Vec<&str> = contestants.iter().map(|contestant| contestant.name).collect();
    let mut timed: Vec<Timed<'_>> =
        contestants.iter_mut().map(|contestant| contestant.timed(delivery)).collect();
    let figures = interleaved(&mut timed, samples);
    let rows = names.into_iter().zip(figures).map(|(name, figures)| {
        println!("{case} {name:26} {:>11.0} ns {:>+11.0}", figures.median_ns, figures.added_ns);
        Row { case, name, figures }
    });
    rows.collect()
}
