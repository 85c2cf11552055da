//! Durations as stores take them.

use std::time::Duration;

/// 100 years.
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60 * 1000;

/// Whole milliseconds, rounded up, from 1 to those of 100 years: no store overflows when it adds them to a time of day.
pub(crate) fn millis(duration: Duration) -> u64 {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(LONGEST).clamp(1, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_fits() {
        let cases = [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(1500), 2),
            (Duration::from_secs(60), 60_000),
            (Duration::MAX, LONGEST),
        ];
        for (duration, expected) in cases {
            assert_eq!(millis(duration), expected, "{duration:?}");
        }
    }
}
