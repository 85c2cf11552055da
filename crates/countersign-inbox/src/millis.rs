//! Times as the tables keep them.

use std::time::{Duration, SystemTime};

/// 100 years.
const LONGEST: i64 = 100 * 365 * 24 * 60 * 60 * 1000;

/// Whole milliseconds, rounded up, at most those of 100 years: no database overflows when it adds them to a time of day.
pub(crate) fn millis(duration: Duration) -> i64 {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    i64::try_from(millis).map_or(LONGEST, |millis| millis.min(LONGEST))
}

/// Milliseconds since 1970. A time before it counts as 1970.
pub(crate) fn since_epoch(time: SystemTime) -> i64 {
    millis(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// The time of day that a table keeps.
pub(crate) fn time_of(since_epoch: i64) -> SystemTime {
    let since_epoch = Duration::from_millis(u64::try_from(since_epoch).unwrap_or(0));
    SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_fits() {
        let cases = [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(1500), 2),
            (Duration::from_secs(60), 60_000),
            (Duration::MAX, LONGEST),
        ];
        for (duration, expected) in cases {
            assert_eq!(millis(duration), expected, "{duration:?}");
        }
    }

    #[test]
    fn a_time_of_day_comes_back_to_the_millisecond() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_750_000_000_123);
        assert_eq!(time_of(since_epoch(time)), time);
        assert_eq!(time_of(i64::MIN), SystemTime::UNIX_EPOCH);
    }
}
