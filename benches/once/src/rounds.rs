//! The measuring loop for stores that are servers. Contestants take turns in each round, and a ratio compares within a round,
//! so a slow spell of the machine hits all of them.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::cpu::Stopwatch;

/// The least time that each contestant gets in a round.
const TURN: Duration = Duration::from_millis(60);

/// What a store's client does for one delivery.
pub type Delivered = Result<(), Box<dyn Error>>;

pub struct Contestant<'a> {
    name: &'static str,
    /// Makes this many deliveries.
    deliver: Box<dyn FnMut(usize) + 'a>,
}

/// Nanoseconds per delivery. Ratios are relative to the first contestant.
#[derive(Serialize)]
pub struct Row {
    pub group: String,
    pub name: &'static str,
    pub median_ns: f64,
    /// Time that this process spent on a CPU. The server's is not in it.
    pub cpu_ns: f64,
    pub rate_ratio: f64,
    pub rate_ratio_q1: f64,
    pub rate_ratio_q3: f64,
    pub cpu_rate_ratio: f64,
}

impl<'a> Contestant<'a> {
    /// Every lane makes one delivery after the other, and all lanes are under way at a time.
    pub fn new<L: 'a>(
        name: &'static str,
        runtime: &'a Runtime,
        lanes: Vec<L>,
        deliver: impl AsyncFn(&mut L) -> Delivered + 'a,
    ) -> Self {
        let mut lanes = lanes;
        let deliver = move |times: usize| {
            let share = times.div_ceil(lanes.len());
            let deliver = &deliver;
            let run = lanes.iter_mut().map(|lane| async move {
                for _ in 0..share {
                    deliver(lane).await.expect("the server answers");
                }
            });
            runtime.block_on(join_all(run));
        };
        Self { name, deliver: Box::new(deliver) }
    }
}

/// Measures the contestants in this many rounds.
pub fn measured(group: &str, mut contestants: Vec<Contestant<'_>>, rounds: usize) -> Vec<Row> {
    let times: Vec<usize> = contestants.iter_mut().map(enough).collect();
    let mut spent = vec![Vec::with_capacity(rounds); contestants.len()];
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    let mut random = fastrand::Rng::with_seed(rounds as u64);
    for _ in 0..rounds {
        random.shuffle(&mut order);
        for &place in &order {
            spent[place].push(turn(&mut contestants[place], times[place]));
        }
    }
    let row = |(contestant, own): (&Contestant<'_>, &Vec<Spent>)| {
        let ratios = |part: fn(&Spent) -> f64| -> Vec<f64> {
            spent[0].iter().zip(own).map(|(first, own)| part(first) / part(own)).collect()
        };
        let [rate_ratio_q1, rate_ratio, rate_ratio_q3] = quartiles(ratios(|spent| spent.wall));
        let [_, cpu_rate_ratio, _] = quartiles(ratios(|spent| spent.cpu));
        let [_, median_ns, _] = quartiles(own.iter().map(|spent| spent.wall).collect());
        let [_, cpu_ns, _] = quartiles(own.iter().map(|spent| spent.cpu).collect());
        let name = contestant.name;
        println!(
            "{group:28} {name:36} {:>8.1} µs {:>8.1} µs CPU  {rate_ratio:.3} ({rate_ratio_q1:.3} to {rate_ratio_q3:.3}), CPU {cpu_rate_ratio:.3}",
            median_ns / 1e3,
            cpu_ns / 1e3
        );
        let group = group.to_owned();
        Row { group, name, median_ns, cpu_ns, rate_ratio, rate_ratio_q1, rate_ratio_q3, cpu_rate_ratio }
    };
    contestants.iter().zip(&spent).map(row).collect()
}

/// Nanoseconds per delivery.
#[derive(Clone, Copy)]
struct Spent {
    wall: f64,
    cpu: f64,
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn turn(contestant: &mut Contestant<'_>, times: usize) -> Spent {
    let (start, cpu) = (Instant::now(), Stopwatch::start());
    (contestant.deliver)(times);
    let each = |time: Duration| time.as_secs_f64() * 1e9 / times as f64;
    Spent { wall: each(start.elapsed()), cpu: each(cpu.elapsed()) }
}

/// As many deliveries as a turn takes, as a multiple of the lanes, which are 64 at most.
fn enough(contestant: &mut Contestant<'_>) -> usize {
    let mut times = 64;
    loop {
        let start = Instant::now();
        (contestant.deliver)(times);
        if start.elapsed() >= TURN {
            return times;
        }
        times *= 2;
    }
}

fn quartiles(mut samples: Vec<f64>) -> [f64; 3] {
    samples.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| samples[(samples.len() - 1) * quarter / 4])
}
