//! Contestants in groups, each compared with the first of its own.

use serde::Serialize;

use crate::measure::{Figures, Timed, interleaved};

/// The time of one contestant.
#[derive(Serialize)]
pub struct Row {
    group: &'static str,
    name: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

/// Measures and prints a group.
pub fn measured(
    group: &'static str,
    names: &[&'static str],
    contestants: &mut [Timed<'_>],
    samples: usize,
) -> Vec<Row> {
    let figures = interleaved(contestants, samples);
    let row = |(&name, figures): (&&'static str, Figures)| {
        println!("{group:16} {name:36} {:>8.0} ns {:>+8.0} ns", figures.median_ns, figures.added_ns);
        Row { group, name, figures }
    };
    names.iter().zip(figures).map(row).collect()
}
