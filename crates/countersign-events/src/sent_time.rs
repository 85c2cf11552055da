use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use time::{
    OffsetDateTime, PrimitiveDateTime,
    format_description::{StaticFormatDescription, well_known::Rfc3339},
    macros::format_description,
};

/// A time in a body: the text that the sender wrote, and the time that it means.
///
/// An unreadable time must not cost the whole delivery, so it is not an error: [`parsed`](Self::parsed) is then `None`, and
/// [`as_str`](Self::as_str) still returns the text. If the JSON value is not a string, the text is its JSON.
///
/// | type | accepted form | who writes it |
/// |---|---|---|
/// | `SentTime<PrimitiveDateTime>` | `2019-03-27T14:58:03`, with or without a fraction, never with a zone | ModusLink |
/// | `SentTime<OffsetDateTime>` | RFC 3339, `2021-12-02T15:20:06.000Z` | Modern Dropship |
/// | `SentTime<OffsetDateTime>` | an offset without a colon, `2022-02-11T17:45:01+0000` | eWarehousing, inside `body` |
///
/// You can use it in your own types for the free parts of a body:
///
/// ```
/// use countersign_events::SentTime;
/// use time::{OffsetDateTime, macros::datetime};
///
/// let modified_at: SentTime<OffsetDateTime> = serde_json::from_str(r#""2022-02-11T17:45:01+0000""#)?;
/// assert_eq!(modified_at.parsed(), Some(datetime!(2022-02-11 17:45:01 UTC)));
/// assert_eq!(modified_at.as_str(), "2022-02-11T17:45:01+0000");
///
/// let yesterday: SentTime<OffsetDateTime> = serde_json::from_str(r#""yesterday""#)?;
/// assert_eq!((yesterday.parsed(), yesterday.as_str()), (None, "yesterday"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SentTime<T> {
    text: String,
    parsed: Option<T>,
}

impl<T: Copy> SentTime<T> {
    /// The text, as the sender wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The time that the text means, or `None` if it does not have the sender's form.
    pub fn parsed(&self) -> Option<T> {
        self.parsed
    }

    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => Self { parsed: parse(&text), text },
            other => Self { text: other.to_string(), parsed: None },
        })
    }
}

const CIVIL: StaticFormatDescription = format_description!(
    version = 2,
    "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]"
);

const OFFSET_WITHOUT_COLON: StaticFormatDescription = format_description!(
    version = 2,
    "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]][offset_hour sign:mandatory][offset_minute]"
);

impl<'de> Deserialize<'de> for SentTime<PrimitiveDateTime> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, |text| PrimitiveDateTime::parse(text, CIVIL).ok())
    }
}

impl<'de> Deserialize<'de> for SentTime<OffsetDateTime> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, |text| {
            let rfc3339 = OffsetDateTime::parse(text, &Rfc3339);
            rfc3339.or_else(|_| OffsetDateTime::parse(text, OFFSET_WITHOUT_COLON)).ok()
        })
    }
}

/// Writes the text as the sender wrote it.
impl<T> fmt::Display for SentTime<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Writes the text as a string.
impl<T> Serialize for SentTime<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
