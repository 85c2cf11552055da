//! Times from the last chunk of a large body to the answer, for a handler that takes `Bytes`.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p in-process --bin last-byte [-- SAMPLES]
//! ```

use std::{error::Error, sync::Arc};

use in_process::{
    contest::{self, Contest, Handler, Setting},
    delivery::{Delivery, Stopwatch},
    matrix::{Case, Framework, NOTES, Row},
    measure::{Timed, interleaved},
    report,
};

const SIZES: [usize; 2] = [1 << 20, 10 << 20];
const CHUNK: usize = 16 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let samples = report::samples()?;
    let mut rows = Vec::new();
    for framework in [Framework::Axum, Framework::Actix] {
        for contest in [Contest::GitHub, Contest::StandardWebhooks] {
            let setting = Setting { contest, handler: Handler::TakesBytes, body_limit: 16 << 20 };
            for size in SIZES {
                rows.extend(measured(framework, setting, size, samples)?);
            }
        }
    }
    report::write("in-process", "last-byte", samples, &NOTES, &rows)
}

fn measured(
    framework: Framework,
    setting: Setting,
    size: usize,
    samples: usize,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let Setting { contest, handler, .. } = setting;
    let mut contestants = framework.contestants(setting)?;
    let stopwatch = Arc::new(Stopwatch::new());
    let chunks = size / CHUNK;
    let delivery = Delivery::new(&contest.signer()?, size, chunks)?;
    contest::check(&mut contestants, &delivery)?;
    let delivery = delivery.timed_by(&stopwatch);
    let names: Vec<&str> = contestants.iter().map(|contestant| contestant.name).collect();
    let timed = contestants.iter_mut().map(|contestant| -> Timed<'_> {
        Box::new(|times| {
            (contestant.run)(&delivery, times, &mut |work| work());
            stopwatch.take()
        })
    });
    let figures = interleaved(&mut timed.collect::<Vec<_>>(), samples);
    let case = Case { framework, contest, handler, size, chunks };
    let rows = names.into_iter().zip(figures).map(|(name, figures)| {
        println!("{case} {name:26} {:>9.1} µs", figures.median_ns / 1e3);
        Row { case, name, figures }
    });
    Ok(rows.collect())
}
