//! The measuring loop. Contestants take turns, so a slow spell of the machine hits all of them.

use std::time::Duration;

use serde::Serialize;

/// The minimum length of a sample, long enough to make the cost of reading the clock negligible.
const SAMPLE: Duration = Duration::from_micros(100);
/// A limit on memory: the requests of a sample are built before the timing starts and exist all at once.
const MOST_TIMES: usize = 4096;

/// Does its work this many times and returns how long that took.
pub type Timed<'a> = Box<dyn FnMut(usize) -> Duration + 'a>;

/// Nanoseconds per operation.
#[derive(Clone, Copy, Serialize)]
pub struct Figures {
    pub median_ns: f64,
    pub q1_ns: f64,
    pub q3_ns: f64,
    /// The median minus that of the first contestant.
    pub added_ns: f64,
    /// The median divided by that of the first contestant.
    pub ratio: f64,
}

/// Measures the contestants and returns their figures in order, from this many samples of each.
pub fn interleaved(contestants: &mut [Timed<'_>], samples: usize) -> Vec<Figures> {
    let times: Vec<usize> = contestants.iter_mut().map(|contestant| enough(contestant)).collect();
    let mut taken = vec![Vec::with_capacity(samples); contestants.len()];
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    let mut random = fastrand::Rng::with_seed(samples as u64);
    for _ in 0..samples {
        // Varies the order, so that no contestant always runs after the same one and inherits its caches.
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

#[expect(clippy::cast_precision_loss, reason = "at most 4096")]
fn count(times: usize) -> f64 {
    times as f64
}
