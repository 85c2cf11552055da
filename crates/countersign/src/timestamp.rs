//! The time that a sender signs, and how far from now it may lie.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::rejection::{Detail, Fault, RejectionKind};

/// How far a signed timestamp may lie from the receiver's clock.
///
/// Both directions are always checked: an old timestamp is a replay, one far ahead is a replay to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    past: Duration,
    future: Duration,
}

impl Tolerance {
    /// At most this far in the past or in the future.
    pub const fn within(either_way: Duration) -> Self {
        Self { past: either_way, future: either_way }
    }

    /// At most `past` behind and at most `future` ahead of the receiver's clock.
    pub const fn new(past: Duration, future: Duration) -> Self {
        Self { past, future }
    }

    pub(crate) fn check(self, timestamp: SystemTime, now: SystemTime) -> Result<(), Fault> {
        let (kind, apart, most) = match now.duration_since(timestamp) {
            Ok(age) => (RejectionKind::TimestampTooOld, age, self.past),
            Err(ahead) => (RejectionKind::TimestampInFuture, ahead.duration(), self.future),
        };
        if apart > most { Err(Fault { kind, detail: Detail::Apart { apart, most } }) } else { Ok(()) }
    }
}

/// Longer than any number of seconds or RFC 3339 text that a sender writes.
const LONGEST_TEXT: usize = 40;

/// From here on a number counts milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.
const LEAST_MILLISECONDS: u64 = 100_000_000_000;

/// Reads the timestamp of a scheme in which `separator` follows it in the signed content.
///
/// Seconds or milliseconds since 1970 (digits only) and RFC 3339 give an instant. Other text gives none, and is a
/// timestamp all the same where no tolerance asks for the instant. No byte may move between the timestamp and what
/// follows it, so no text passes that could be cut at a separator, or go on after one, to be another that passes.
pub(crate) fn read(text: &str, separator: &str) -> Result<Option<SystemTime>, RejectionKind> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return Err(RejectionKind::TimestampMalformed);
    }
    match parse(text) {
        Some(instant) => Ok(Some(instant)),
        // The one separator that a timestamp can hold is the dot before the fraction in RFC 3339.
        None if text.contains(separator) || parse(&format!("{text}Z")).is_some() => {
            Err(RejectionKind::TimestampMalformed)
        }
        None => Ok(None),
    }
}

fn parse(text: &str) -> Option<SystemTime> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        let since_epoch = if number < LEAST_MILLISECONDS {
            Duration::from_secs(number)
        } else {
            Duration::from_millis(number)
        };
        return UNIX_EPOCH.checked_add(since_epoch);
    }
    // The conversion that `time` offers panics where the platform's clock has no such instant.
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let seconds = Duration::from_secs(instant.unix_timestamp().unsigned_abs());
    let whole = if instant.unix_timestamp() < 0 {
        UNIX_EPOCH.checked_sub(seconds)
    } else {
        UNIX_EPOCH.checked_add(seconds)
    };
    whole?.checked_add(Duration::from_nanos(instant.nanosecond().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MALFORMED: Result<Option<SystemTime>, RejectionKind> = Err(RejectionKind::TimestampMalformed);

    #[test]
    fn seconds_milliseconds_and_rfc_3339_name_the_same_instant() {
        let instant = UNIX_EPOCH + Duration::from_secs(1_719_342_000);
        for text in ["1719342000", "1719342000000", "2024-06-25T19:00:00Z", "2024-06-25T21:00:00.000+02:00"] {
            assert_eq!(read(text, "."), Ok(Some(instant)), "{text}");
        }
    }

    #[test]
    fn the_years_at_the_ends_of_rfc_3339_neither_panic_nor_wrap() {
        let first = Duration::from_secs(62_167_219_200);
        assert_eq!(read("0000-01-01T00:00:00Z", "."), Ok(Some(UNIX_EPOCH - first)));
        let before = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(read("1969-12-31T23:59:59.5Z", "."), Ok(Some(before)));
        assert!(read("9999-12-31T23:59:59.999999999Z", ".").unwrap().is_some());
    }

    #[test]
    fn the_largest_number_neither_panics_nor_wraps() {
        assert!(read(&u64::MAX.to_string(), ".").unwrap().is_some());
        assert_eq!(read("18446744073709551616", "."), Ok(None));
    }

    #[test]
    fn text_of_no_known_form_is_a_timestamp_without_an_instant() {
        for text in ["-1", "+1", "1e9", "0x10", "Tue 25 Jun 2024", "2024-06-25", "2024-06-25T25:00:00Z"] {
            assert_eq!(read(text, "."), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn text_that_a_cut_at_a_separator_could_make_is_malformed() {
        for text in ["", ".", "1719342000.5", "1719342000.", "2024-06-25T19:00:00Z.", "2024-06-25T19:00:00"] {
            assert_eq!(read(text, "."), MALFORMED, "{text:?}");
        }
        assert_eq!(read(&"1".repeat(41), "."), MALFORMED);
    }

    #[test]
    fn no_timestamp_goes_on_after_a_separator_to_be_another() {
        let texts = [
            "1719342000",
            "1719342000000",
            "5",
            "2024-06-25",
            "2024-06-25T19:00:00Z",
            "2024-06-25T19:00:00.5Z",
            "2024-06-25T19:00:00",
            "2024-06-25T19:00:00.5",
            "2024-06-25 19:00:00+02:00",
            "5Z",
            "5+02:00",
            "noon",
        ];
        let mut joined = 0;
        for (first, second) in texts.iter().flat_map(|first| texts.iter().map(move |second| (first, second)))
        {
            let longer = format!("{first}.{second}");
            if read(&longer, ".").is_ok() {
                joined += 1;
                assert_eq!(read(first, "."), MALFORMED, "{longer}");
            }
        }
        assert!(joined > 0);
    }

    #[test]
    fn both_ends_of_the_tolerance_are_inclusive() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let tolerance = Tolerance::new(Duration::from_secs(300), Duration::from_secs(60));
        let at = |seconds| {
            tolerance.check(UNIX_EPOCH + Duration::from_secs(seconds), now).map_err(|fault| fault.kind)
        };
        assert_eq!(at(700), Ok(()));
        assert_eq!(at(699), Err(RejectionKind::TimestampTooOld));
        assert_eq!(at(1_060), Ok(()));
        assert_eq!(at(1_061), Err(RejectionKind::TimestampInFuture));
    }
}
