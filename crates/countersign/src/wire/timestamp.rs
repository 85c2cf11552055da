//! The time that a sender signs: where it is sent, how it is written, and how far from now it may lie.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The timestamp that a scheme signs. It cannot be stated without its [`Tolerance`].
#[derive(Clone, Debug)]
#[must_use = "a timestamp is checked only by the scheme that it is given to"]
pub struct Timestamp {
    pub(crate) place: TimestampPlace,
    pub(crate) format: TimestampFormat,
    pub(crate) tolerance: Tolerance,
}

/// Where a sender puts the timestamp.
#[derive(Clone, Debug)]
pub(crate) enum TimestampPlace {
    /// In a header of its own.
    Header(Cow<'static, str>),
    /// In the signature header, under this label.
    Listed(Cow<'static, str>),
    /// Nowhere: somebody set a tolerance on a scheme that signs no timestamp.
    Unsigned,
}

impl Timestamp {
    pub(crate) fn unsigned(tolerance: Tolerance) -> Self {
        Self { place: TimestampPlace::Unsigned, format: TimestampFormat::Seconds, tolerance }
    }

    /// A timestamp in a header of its own, which must be sent exactly once.
    pub fn in_header(
        name: impl Into<Cow<'static, str>>,
        format: TimestampFormat,
        tolerance: Tolerance,
    ) -> Self {
        Self { place: TimestampPlace::Header(name.into()), format, tolerance }
    }

    /// A timestamp among the items of the signature header, under this label: `t` for `t=1719342000,v1=…`.
    pub fn in_list(
        label: impl Into<Cow<'static, str>>,
        format: TimestampFormat,
        tolerance: Tolerance,
    ) -> Self {
        Self { place: TimestampPlace::Listed(label.into()), format, tolerance }
    }
}

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampFormat {
    /// Seconds since 1970, digits only.
    Seconds,
    /// Milliseconds since 1970, digits only.
    Milliseconds,
    /// [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339): `2024-06-25T19:00:00Z`.
    Rfc3339,
    /// Any of the above, for a sender whose format is unknown. Numbers below 10^11 are read as seconds, larger ones as
    /// milliseconds. If the tolerance is unlimited, text in no known format passes too.
    Any,
}

/// How far a signed timestamp may lie from the receiver's clock.
///
/// Both directions are always checked: an old timestamp is a replay, and one far ahead could be replayed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance(Option<Limits>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    past: Duration,
    future: Duration,
}

/// Why a timestamp is outside its tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intolerable {
    NoInstant,
    TooOld { apart: Duration, most: Duration },
    InFuture { apart: Duration, most: Duration },
}

impl Tolerance {
    /// At most this far in the past or in the future. A scheme accepts up to 31 days.
    pub const fn within(either_way: Duration) -> Self {
        Self::new(either_way, either_way)
    }

    /// At most `past` behind and at most `future` ahead of the receiver's clock.
    pub const fn new(past: Duration, future: Duration) -> Self {
        Self(Some(Limits { past, future }))
    }

    /// Accepts any timestamp: anyone who has seen a delivery can replay it for ever.
    pub const fn dangerously_unlimited() -> Self {
        Self(None)
    }

    /// Whether it is so wide that it should say that it has no limits.
    pub(crate) fn is_disguised(self) -> bool {
        self.0.is_some_and(|limits| limits.past > WIDEST || limits.future > WIDEST)
    }

    /// `timestamp` is `None` for text that names no instant.
    pub(crate) fn check(self, timestamp: Option<SystemTime>, now: SystemTime) -> Result<(), Intolerable> {
        let Some(Limits { past, future }) = self.0 else { return Ok(()) };
        let timestamp = timestamp.ok_or(Intolerable::NoInstant)?;
        match now.duration_since(timestamp) {
            Ok(apart) if apart > past => Err(Intolerable::TooOld { apart, most: past }),
            Err(ahead) if ahead.duration() > future => {
                Err(Intolerable::InFuture { apart: ahead.duration(), most: future })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A month: longer than any sender keeps retrying.
const WIDEST: Duration = Duration::from_secs(31 * 86_400);

/// Limit on a timestamp's text, in bytes: more than any number of seconds or RFC 3339 text needs.
const LONGEST_TEXT: usize = 40;

/// The smallest number that [`TimestampFormat::Any`] reads as milliseconds: as seconds it would be the year 5138, as
/// milliseconds it is 1973.
const LEAST_MILLISECONDS: u64 = 100_000_000_000;

/// What marks the end of a timestamp in the signed content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// This text, which the timestamp must not contain.
    Separator(String),
    /// Nothing but the timestamp's own form.
    Form,
}

/// The text is not a timestamp in the format, or its end in the signed content is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl TimestampFormat {
    /// The instant that the text names; `None` for text that passes without one.
    ///
    /// No byte may move between a timestamp and what is signed next to it, so a text passes only if no shorter or longer
    /// cut of the same signed content would pass too.
    pub(crate) fn read(self, text: &str, boundary: &Boundary) -> Result<Option<SystemTime>, Malformed> {
        if text.is_empty() || text.len() > LONGEST_TEXT {
            return Err(Malformed);
        }
        match (self, boundary) {
            (Self::Seconds | Self::Milliseconds, Boundary::Form) if text.len() != self.digits() => {
                Err(Malformed)
            }
            (Self::Seconds, _) => number(text, Duration::from_secs).map(Some).ok_or(Malformed),
            (Self::Milliseconds, _) => number(text, Duration::from_millis).map(Some).ok_or(Malformed),
            // It ends in its zone, so none is the beginning or the end of another.
            (Self::Rfc3339, _) => rfc_3339(text).map(Some).ok_or(Malformed),
            (Self::Any, boundary) => any(text, boundary),
        }
    }

    /// Whether a text in this format can contain the character.
    pub(crate) fn can_contain(self, char: char) -> bool {
        matches!(self, Self::Rfc3339 | Self::Any) && matches!(char, ':' | '.' | ' ')
    }

    /// How many digits a number has until the year 2286, where only their count marks its end.
    fn digits(self) -> usize {
        if self == Self::Milliseconds { 13 } else { 10 }
    }

    /// The text that a sender writes for an instant.
    #[cfg(feature = "sign")]
    pub(crate) fn write(self, instant: SystemTime) -> String {
        let since_epoch = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
        match self {
            Self::Seconds | Self::Any => since_epoch.as_secs().to_string(),
            Self::Milliseconds => since_epoch.as_millis().to_string(),
            Self::Rfc3339 => to_rfc_3339(instant),
        }
    }
}

/// To the second. Empty for an instant after the year 9999; one before 1970 counts as that.
#[cfg(any(feature = "sign", feature = "tracing"))]
pub(crate) fn to_rfc_3339(instant: SystemTime) -> String {
    let since_epoch = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    let instant = OffsetDateTime::from_unix_timestamp(seconds);
    instant.ok().and_then(|instant| instant.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Reads text in any format, or in none: then only the boundary marks its end.
fn any(text: &str, boundary: &Boundary) -> Result<Option<SystemTime>, Malformed> {
    let instant = parse(text);
    let ends = match boundary {
        // An instant contains no separator but the dot before its fraction; the check below refuses what a cut at that
        // dot would leave.
        Boundary::Separator(separator) if separator == "." && instant.is_some() => true,
        Boundary::Separator(separator) => boundary_is_unique(text, separator),
        Boundary::Form => false,
    };
    if !ends || (instant.is_none() && parse(&format!("{text}Z")).is_some()) {
        return Err(Malformed);
    }
    Ok(instant)
}

/// Whether the separator occurs only next to the text, on whichever side it stands, and neither in it nor across its end.
fn boundary_is_unique(text: &str, separator: &str) -> bool {
    format!("{text}{separator}").find(separator) == Some(text.len())
        && format!("{separator}{text}").rfind(separator) == Some(0)
}

fn parse(text: &str) -> Option<SystemTime> {
    number(text, |number| {
        if number < LEAST_MILLISECONDS { Duration::from_secs(number) } else { Duration::from_millis(number) }
    })
    .or_else(|| rfc_3339(text))
}

/// Digits only: Rust's own parser also accepts a sign.
fn number(text: &str, since_epoch: impl Fn(u64) -> Duration) -> Option<SystemTime> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse::<u64>().ok())??;
    UNIX_EPOCH.checked_add(since_epoch(number))
}

pub(crate) fn rfc_3339(text: &str) -> Option<SystemTime> {
    // `time` accepts any character between date and time; RFC 3339 §5.6 allows only these.
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    // The conversion that `time` offers panics if the platform's clock has no such instant.
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

    const MALFORMED: Result<Option<SystemTime>, Malformed> = Err(Malformed);

    fn read(text: &str, separator: &str) -> Result<Option<SystemTime>, Malformed> {
        TimestampFormat::Any.read(text, &Boundary::Separator(separator.to_owned()))
    }

    #[test]
    fn the_bounds_of_a_text_and_of_seconds_are_exact() {
        let digits = |count: usize| format!("{:0>count$}", 1);
        let read_seconds =
            |text: &str| TimestampFormat::Seconds.read(text, &Boundary::Separator(".".to_owned()));
        assert_eq!(read_seconds(&digits(40)), Ok(Some(UNIX_EPOCH + Duration::from_secs(1))));
        assert_eq!(read_seconds(&digits(41)), MALFORMED);
        assert_eq!(parse("99999999999"), UNIX_EPOCH.checked_add(Duration::from_secs(99_999_999_999)));
        assert_eq!(parse("100000000000"), UNIX_EPOCH.checked_add(Duration::from_secs(100_000_000)));
    }

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
    fn text_in_no_known_format_is_a_timestamp_without_an_instant() {
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
    fn text_of_any_format_contains_no_separator_but_the_dot_of_a_fraction() {
        for (text, separator) in [
            ("2024-06-25T19:00:00Z", ":"),
            ("2024-06-25T19:00:00Z", "-"),
            ("2024-06-25T19:00:00Z", "T"),
            ("noon-", "--"),
            ("-noon", "--"),
            ("2024-06-25.19:00:00Z", "."),
            ("2024-06-25x19:00:00Z", "x"),
        ] {
            assert_eq!(read(text, separator), MALFORMED, "{text} {separator}");
        }
        assert!(read("2024-06-25T19:00:00.5Z", ".").unwrap().is_some());
        assert!(read("2024-06-25 19:00:00z", ".").unwrap().is_some());
    }

    #[test]
    fn no_timestamp_continues_after_a_separator_to_form_another() {
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
    fn a_known_format_accepts_no_other() {
        let dot = Boundary::Separator(".".to_owned());
        let instant = Ok(Some(UNIX_EPOCH + Duration::from_secs(1_719_342_000)));
        let [seconds, milliseconds, rfc_3339] = ["1719342000", "1719342000000", "2024-06-25T19:00:00Z"];
        for (format, right) in [
            (TimestampFormat::Seconds, seconds),
            (TimestampFormat::Milliseconds, milliseconds),
            (TimestampFormat::Rfc3339, rfc_3339),
        ] {
            assert_eq!(format.read(right, &dot), instant);
            for wrong in [
                "+1719342000",
                "-1",
                "1719342000.0",
                " 1719342000",
                "1e9",
                "0x66",
                "١",
                "18446744073709551616",
            ] {
                assert_eq!(format.read(wrong, &dot), MALFORMED, "{format:?} {wrong}");
            }
        }
        assert_eq!(TimestampFormat::Seconds.read(rfc_3339, &dot), MALFORMED);
        assert_eq!(TimestampFormat::Rfc3339.read(seconds, &dot), MALFORMED);
    }

    #[test]
    fn a_number_without_a_separator_has_a_fixed_count_of_digits() {
        for (format, right) in
            [(TimestampFormat::Seconds, "1719342000"), (TimestampFormat::Milliseconds, "1719342000000")]
        {
            assert!(format.read(right, &Boundary::Form).unwrap().is_some());
            assert_eq!(format.read(&right[1..], &Boundary::Form), MALFORMED);
            assert_eq!(format.read(&format!("{right}0"), &Boundary::Form), MALFORMED);
        }
    }

    #[test]
    fn only_an_unlimited_tolerance_accepts_text_without_an_instant() {
        assert_eq!(Tolerance::dangerously_unlimited().check(None, UNIX_EPOCH), Ok(()));
        let limited = Tolerance::within(Duration::MAX).check(None, UNIX_EPOCH);
        assert_eq!(limited, Err(Intolerable::NoInstant));
    }

    #[test]
    fn both_ends_of_the_tolerance_are_inclusive() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let tolerance = Tolerance::new(Duration::from_secs(300), Duration::from_secs(60));
        let at = |seconds| tolerance.check(Some(UNIX_EPOCH + Duration::from_secs(seconds)), now);
        let seconds = Duration::from_secs;
        assert_eq!(at(700), Ok(()));
        assert_eq!(at(699), Err(Intolerable::TooOld { apart: seconds(301), most: seconds(300) }));
        assert_eq!(at(1_060), Ok(()));
        assert_eq!(at(1_061), Err(Intolerable::InFuture { apart: seconds(61), most: seconds(60) }));
    }
}
