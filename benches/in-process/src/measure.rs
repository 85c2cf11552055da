//! The measuring loop: contestants take turns, so that a slow spell of the machine hits all of them.

use std::time::Duration;

use serde::Serialize;

/// A sample lasts at least this long, so that reading the clock is nothing beside it.
const SAMPLE: Duration = Duration::from_micros(100);
/// Requests are made before they are timed, and are in memory all at once.
const MOST_TIMES: usize = 4096;

/// Does its work this many times and tells how long that took.
pub type Timed<'a> = Box<dyn FnMut(usize) -> Duration + 'a>;

/// Nanoseconds of one operation.
#[derive(Clone, Copy, Serialize)]
pub struct Figures {
    pub median_ns: f64,
    pub q1_ns: f64,
    pub q3_ns: f64,
    /// The median less that of the first contestant.
    pub added_ns: f64,
    /// The median over that of the first contestant.
    pub ratio: f64,
}

/// The figures of each contestant, in their order, from this many samples of each.
pub fn interleaved(contestants: &mut [Timed<'_>], samples: usize) -> Vec<Figures> {
    let times: Vec<usize> = contestants.iter_mut().map(|contestant| enough(contestant)).collect();
    let mut taken = vec![Vec::with_capacity(samples); contestants.len()];
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    let mut random = fastrand::Rng::with_seed(samples as u64);
    for _ in 0..samples {
        // Nobody always follows the one that fills the caches, with its own code or with another.
        random.shuffle(&mut order);
        for &place in &order {
            let elapsed = contestants[place](times[place]);
            taken[place].push(nanoseconds(elapsed) / count(times[place]));
        }
    }
    let quartiles: Vec<[f64; 3]> = taken.into_iter().map(quartiles).collect();
    let [_, first, _] = quartiles[0];
    let figures = |&[q1_ns, median_ns, q3_ns]: &[f64; 3]| Figures {
        median_ns: tenths(median_ns),
        q1_ns: tenths(q1_ns),
        q3_ns: tenths(q3_ns),
        added_ns: tenths(median_ns - first),
        ratio: (median_ns / first * 1000.0).round() / 1000.0,
    };
    quartiles.iter().map(figures).collect()
}

fn enough(contestant: &mut Timed<'_>) -> usize {
    let mut times = 1;
    while times < MOST_TIMES && contestant(times) < SAMPLE {
        times *= 2;
    }
    times
}

fn quartiles(mut samples: Vec<f64>) -> [f64; 3] {
    samples.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| samples[(samples.len() - 1) * quarter / 4])
}

fn tenths(nanoseconds: f64) -> f64 {
    (nanoseconds * 10.0).round() / 10.0
}

fn nanoseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e9
}

#[expect(clippy::cast_precision_loss, reason = "4096 at most")]
fn count(times: usize) -> f64 {
    times as f64
}
