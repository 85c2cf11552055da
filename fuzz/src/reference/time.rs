//! Timestamps: a digit-by-digit parser for RFC 3339, and tolerances in nanoseconds.

use countersign::TimestampFormat;

/// The timestamp that a scheme signs.
#[derive(Clone, Debug)]
pub struct Time {
    pub place: Place,
    pub format: TimestampFormat,
    /// The tolerance for the past and for the future in seconds. `None` if unlimited.
    pub limits: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub enum Place {
    Header(String),
    Listed(String),
}

const SECOND: i128 = 1_000_000_000;

impl Time {
    /// `beside` is the literal next to the timestamp, on the side of the body.
    pub fn admits(&self, text: &str, beside: Option<&str>, now: i128) -> bool {
        if !(1..=40).contains(&text.len()) {
            return false;
        }
        // A literal with a digit does not mark the end of a number.
        let ends = beside.is_some_and(|beside| !beside.contains(|char: char| char.is_ascii_digit()));
        let fixed = |digits| ends || text.len() == digits;
        if self.format == TimestampFormat::Any && !parted(text, beside) {
            return false;
        }
        let instant = match self.format {
            TimestampFormat::Seconds => number(text, SECOND).filter(|_| fixed(10)),
            TimestampFormat::Milliseconds => number(text, SECOND / 1000).filter(|_| fixed(13)),
            TimestampFormat::Rfc3339 => rfc_3339(text),
            _ => any(text),
        };
        match (instant, self.limits) {
            (Some(instant), Some((past, future))) => {
                let seconds = |count: u64| i128::from(count) * SECOND;
                now - instant <= seconds(past) && instant - now <= seconds(future)
            }
            (Some(_), None) => true,
            // With a fraction after it, the text must not become a timestamp of a known form.
            (None, None) => self.format == TimestampFormat::Any && rfc_3339(&format!("{text}.0Z")).is_none(),
            (None, Some(_)) => false,
        }
    }
}

/// Returns whether a text of any format neither contains nor overlaps the literal beside it. A timestamp with a fraction
/// may contain the dot.
fn parted(text: &str, beside: Option<&str>) -> bool {
    let Some(beside) = beside else { return false };
    let overlaps = |joined: &str, at: usize| {
        (0..joined.len())
            .any(|place| place != at && joined.get(place..).is_some_and(|rest| rest.starts_with(beside)))
    };
    let (before, after) = (format!("{text}{beside}"), format!("{beside}{text}"));
    (beside == "." && any(text).is_some()) || !(overlaps(&before, text.len()) || overlaps(&after, 0))
}

fn any(text: &str) -> Option<i128> {
    let seconds = number(text, SECOND);
    match seconds {
        Some(instant) if instant < 100_000_000_000 * SECOND => seconds,
        Some(instant) => Some(instant / 1000),
        None => rfc_3339(text),
    }
}

fn number(text: &str, unit: i128) -> Option<i128> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u64>().ok().filter(|_| digits).map(|number| i128::from(number) * unit)
}

/// Parses `YYYY-MM-DDTHH:MM:SS[.F…](Z|±HH:MM)`, with letters in either case and a space allowed for `T`: RFC 3339
/// section 5.6.
fn rfc_3339(text: &str) -> Option<i128> {
    let digits = |range: std::ops::Range<usize>| number(text.get(range)?, 1);
    let is = |at: usize, char: u8| text.as_bytes().get(at) == Some(&char);
    let [year, month, day] = [digits(0..4)?, digits(5..7)?, digits(8..10)?];
    let [hour, minute, second] = [digits(11..13)?, digits(14..16)?, digits(17..19)?];
    let marks = is(4, b'-') && is(7, b'-') && is(13, b':') && is(16, b':');
    let parts = [b'T', b't', b' '].into_iter().any(|char| is(10, char));
    let (fraction, zone) = match text.get(19..)?.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|char: char| !char.is_ascii_digit())?),
        None => ("0", text.get(19..)?),
    };
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(zone.get(1..3)?, 1)?, number(zone.get(4..6)?, 1)?);
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second <= 60;
    if !marks || !parts || !in_range || fraction.is_empty() || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let minutes = (days_before(year, month) + day - 1) * 24 * 60 + hour * 60 + minute - offset;
    let nanoseconds = format!("{fraction:0<9}")[..9].parse::<i128>().ok()?;
    if second < 60 {
        return Some((minutes * 60 + second) * SECOND + nanoseconds);
    }
    // A leap second is the last second of a month in UTC. System clocks have none, so it counts as the nanosecond
    // before the next minute.
    let ends_month = |(year, month): (i128, i128)| minutes + 1 == days_before(year, month) * 24 * 60;
    let months = (year - 1..=year + 1).flat_map(|year| (1..=12).map(move |month| (year, month)));
    months.into_iter().any(ends_month).then_some((minutes + 1) * 60 * SECOND - 1)
}

fn days_in(year: i128, month: i128) -> i128 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i128::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970 to the first of the month, counted year by year.
fn days_before(year: i128, month: i128) -> i128 {
    let of_year = |year| (1..=12).map(|month| days_in(year, month)).sum::<i128>();
    let years =
        if year < 1970 { -(year..1970).map(of_year).sum::<i128>() } else { (1970..year).map(of_year).sum() };
    years + (1..month).map(|month| days_in(year, month)).sum::<i128>()
}
