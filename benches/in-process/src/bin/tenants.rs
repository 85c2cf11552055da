//! Times the cached lookup of a tenant: alone, and as part of a request of 1 KiB.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p in-process --bin tenants [-- SAMPLES]
//! ```

use std::error::Error;

use in_process::{
    contest,
    group::measured,
    measure::Timed,
    report,
    tenants::{FRAMEWORKS, Known},
};

const NOTES: [&str; 2] = [
    "10,000 tenants are cached; alone, their names come in random order, and a request names always the same",
    "the bare get is moka's, in a cache of the same verifiers; a service reads the header for it",
];

fn main() -> Result<(), Box<dyn Error>> {
    let samples = report::samples()?;
    let known = Known::new()?;
    let mut rows = Vec::new();
    let names = ["a bare moka get", "countersign-tenants"];
    rows.extend(measured("the lookup alone", &names, &mut known.lookups(), samples));
    for (group, framework) in FRAMEWORKS {
        let (mut contestants, delivery) = known.services(framework)?;
        contest::check(&mut contestants, &delivery)?;
        let names: Vec<&str> = contestants.iter().map(|contestant| contestant.name).collect();
        let mut timed: Vec<Timed<'_>> =
            contestants.iter_mut().map(|contestant| contestant.timed(&delivery)).collect();
        rows.extend(measured(group, &names, &mut timed, samples));
    }
    report::write("in-process", "tenants", samples, &NOTES, &rows)
}
