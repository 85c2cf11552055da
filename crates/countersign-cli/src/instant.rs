//! Instants as users and captures write them.

use std::time::{Duration, SystemTime};

use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339, macros::format_description,
};

/// Reads an instant in RFC 3339, such as `2026-11-25T07:30:00Z`, or in seconds since 1970.
pub(crate) fn parse(text: &str) -> Result<SystemTime, String> {
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    seconds
        .or_else(|| rfc_3339(text))
        .ok_or_else(|| "write an instant such as 2026-11-25T07:30:00Z, or seconds since 1970".to_owned())
}

pub(crate) fn rfc_3339(text: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().and_then(system_time)
}

/// Reads the time that webhook.site writes, in UTC: `2019-10-03 19:06:35`, perhaps with milliseconds.
pub(crate) fn without_zone(text: &str) -> Option<SystemTime> {
    let (text, _) = text.split_once('.').unwrap_or((text, ""));
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    system_time(PrimitiveDateTime::parse(text, &format).ok()?.assume_utc())
}

/// Writes an instant in RFC 3339, to the second.
pub(crate) fn show(instant: SystemTime) -> String {
    let seconds = instant.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let time =
        i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{seconds} s after 1970"))
}

/// Milliseconds since 1970.
pub(crate) fn to_millis(instant: SystemTime) -> u64 {
    let since_1970 = instant.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Reads milliseconds since 1970.
pub(crate) fn from_millis(millis: u64) -> SystemTime {
    let since_1970 = Duration::from_millis(millis);
    SystemTime::UNIX_EPOCH.checked_add(since_1970).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn system_time(time: OffsetDateTime) -> Option<SystemTime> {
    let since_1970 = Duration::from_nanos(u64::try_from(time.unix_timestamp_nanos()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since_1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_is_read_in_each_form() {
        let instant = SystemTime::UNIX_EPOCH + Duration::from_secs(1_570_129_595);
        assert_eq!(parse("2019-10-03T19:06:35Z"), Ok(instant));
        assert_eq!(parse("2019-10-03T21:06:35+02:00"), Ok(instant));
        assert_eq!(parse("1570129595"), Ok(instant));
        assert_eq!(without_zone("2019-10-03 19:06:35"), Some(instant));
        assert_eq!(without_zone("2019-10-03 19:06:35.123"), Some(instant));
        assert_eq!(show(instant), "2019-10-03T19:06:35Z");
        assert!(
            parse("yesterday").is_err() && parse("-1").is_err() && parse("99999999999999999999").is_err()
        );
    }
}
