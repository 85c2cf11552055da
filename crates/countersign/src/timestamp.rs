//! The time that a sender signs, and how far from now it may lie.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::rejection::RejectionKind;

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
        Self {
            past: either_way,
            future: either_way,
        }
    }

    /// At most `past` behind and at most `future` ahead of the receiver's clock.
    pub const fn new(past: Duration, future: Duration) -> Self {
        Self { past, future }
    }

    pub(crate) fn check(self, timestamp: SystemTime, now: SystemTime) -> Result<(), RejectionKind> {
        match now.duration_since(timestamp) {
            Ok(age) if age > self.past => Err(RejectionKind::TimestampTooOld),
            Err(ahead) if ahead.duration() > self.future => Err(RejectionKind::TimestampInFuture),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Longer than any number of seconds or RFC 3339 text that a sender writes.
const LONGEST_TEXT: usize = 40;

/// From here on a number counts milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.
const LEAST_MILLISECONDS: u64 = 100_000_000_000;

/// Reads seconds or milliseconds since 1970 (digits only), or RFC 3339.
///
/// Nothing else is a timestamp, because of what follows it in the signed content. No text of either form
/// goes on to be another after a separator: whoever moved that boundary, and so bytes between the timestamp
/// and the body, would have made a text that is refused here.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return OffsetDateTime::parse(text, &Rfc3339).ok().map(SystemTime::from);
    }
    let number: u64 = text.parse().ok()?;
    let since_epoch = if number < LEAST_MILLISECONDS {
        Duration::from_secs(number)
    } else {
        Duration::from_millis(number)
    };
    UNIX_EPOCH.checked_add(since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        parse(text).map(|instant| instant.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn seconds_milliseconds_and_rfc_3339_name_the_same_instant() {
        for text in [
            "1719342000",
            "1719342000000",
            "2024-06-25T19:00:00Z",
            "2024-06-25T21:00:00.000+02:00",
        ] {
            assert_eq!(seconds(text), Some(1_719_342_000), "{text}");
        }
    }

    #[test]
    fn what_is_not_wholly_a_timestamp_is_none() {
        let overflow = "9".repeat(40);
        let long = "1".repeat(41);
        for text in [
            "",
            " ",
            "-1",
            "+1",
            "1e9",
            "0x10",
            "1719342000.5",
            "1719342000 ",
            "１７",
            "2024-06-25",
            "2024-06-25T19:00:00",
            "2024-06-25T19:00:00Z.",
            "2024-06-25T25:00:00Z",
            &overflow,
            &long,
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_largest_number_neither_panics_nor_wraps() {
        assert!(parse(&u64::MAX.to_string()).is_some());
        assert_eq!(parse("18446744073709551616"), None);
    }

    #[test]
    fn both_ends_of_the_tolerance_are_inclusive() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let tolerance = Tolerance::new(Duration::from_secs(300), Duration::from_secs(60));
        let at = |seconds| tolerance.check(UNIX_EPOCH + Duration::from_secs(seconds), now);
        assert_eq!(at(700), Ok(()));
        assert_eq!(at(699), Err(RejectionKind::TimestampTooOld));
        assert_eq!(at(1_060), Ok(()));
        assert_eq!(at(1_061), Err(RejectionKind::TimestampInFuture));
    }
}
