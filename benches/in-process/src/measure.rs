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
    /// The median of the differences to the first contestant in the same round.
    pub added_ns: f64,
    /// The median of the ratios to the first contestant in the same round.
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
    let first = &taken[0];
    let figures = |own: &Vec<f64>| {
        let against = |compare: fn(f64, f64) -> f64| {
            let [_, median, _] =
                quartiles(own.iter().zip(first).map(|(&own, &first)| compare(own, first)).collect());
            median
        };
        let [q1_ns, median_ns, q3_ns] = quartiles(own.clone());
        Figures {
            median_ns: tenths(median_ns),
            q1_ns: tenths(q1_ns),
            q3_ns: tenths(q3_ns),
            added_ns: tenths(against(|own, first| own - first)),
            ratio: (against(|own, first| own / first) * 1000.0).round() / 1000.0,
        }
    };
    taken.iter().map(figures).collect()
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
