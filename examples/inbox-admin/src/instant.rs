use std::{fmt, time::SystemTime};

use time::{OffsetDateTime, error::Parse, format_description::well_known::Rfc3339};

/// A time as RFC 3339 writes it, to the second.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub SystemTime);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from(self.0).replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        f.write_str(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

/// Reads a time such as `2026-11-25T07:30:00Z`.
///
/// # Errors
///
/// It is not in RFC 3339.
pub fn parse_instant(text: &str) -> Result<SystemTime, Parse> {
    Ok(OffsetDateTime::parse(text, &Rfc3339)?.into())
}
