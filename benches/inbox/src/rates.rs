use std::{collections::BTreeMap, fs, time::Instant};

use serde::Serialize;

/// What contestants reached in alternating rounds.
#[derive(Default)]
pub struct Rates(BTreeMap<(usize, &'static str), Vec<f64>>);

/// Medians. The ratio is the median of the rounds' ratios to the group's first.
#[derive(Serialize)]
pub struct Rate {
    pub group: &'static str,
    pub name: String,
    pub per_second: f64,
    pub ratio: f64,
}

impl Rates {
    /// Times one turn of a contestant that makes so many deliveries.
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    pub async fn turn(
        &mut self,
        place: usize,
        name: &'static str,
        deliveries: usize,
        turn: impl AsyncFnOnce(),
    ) {
        let start = Instant::now();
        turn().await;
        self.push(place, name, deliveries as f64 / start.elapsed().as_secs_f64());
    }

    /// Adds what a contestant reached in a turn.
    pub fn push(&mut self, place: usize, name: &'static str, per_second: f64) {
        self.0.entry((place, name)).or_default().push(per_second);
    }

    pub fn rates(&self, group: &'static str) -> Vec<Rate> {
        let first: Vec<f64> = self.0.values().next().cloned().unwrap_or_default();
        let rate = |((_, name), own): (&(usize, &'static str), &Vec<f64>)| {
            let ratio = median(own.iter().zip(&first).map(|(own, first)| own / first).collect());
            let per_second = median(own.clone());
            println!("{group:12} {name:40} {per_second:>9.0} a second  {ratio:.2}");
            Rate { group, name: (*name).to_owned(), per_second, ratio }
        };
        self.0.iter().map(rate).collect()
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// The resident memory of this process.
pub fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line on resident memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
