use std::str;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{EventError, SignedBody};

/// Parses a JSON body that one of these schemes verified, for implementations of
/// [`FromDelivery`](crate::FromDelivery).
///
/// `schemes` are names, as [`Scheme::name`](countersign::Scheme::name) gives them. One byte order mark before the JSON is
/// skipped, as RFC 8259 allows. Only white space may follow the JSON.
///
/// # Errors
/// - [`OtherScheme`](EventError::OtherScheme) if another scheme verified the delivery, whatever its body.
/// - [`NotUtf8`](EventError::NotUtf8) if the body is not UTF-8.
/// - [`Json`](EventError::Json) if the body is empty or otherwise not JSON, is nested deeper than 127 levels, or does
///   not fit `T`.
pub fn json<T: DeserializeOwned>(
    body: SignedBody<'_>,
    schemes: &'static [&'static str],
) -> Result<T, EventError> {
    if !schemes.contains(&body.scheme()) {
        return Err(EventError::OtherScheme { verified: body.scheme().to_owned(), accepted: schemes });
    }
    let text = str::from_utf8(body.bytes()).map_err(EventError::not_utf8)?;
    let mut json = serde_json::Deserializer::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| EventError::json(&error))?;
    let rest = json.end();
    rest.map_err(|error| EventError::Json { path: ".".to_owned(), reason: error.to_string() })?;
    Ok(parsed)
}

/// Parses the value of a free field into a type of the caller's.
pub(crate) fn field<'v, T: Deserialize<'v>>(name: &str, value: &'v Value) -> Result<T, EventError> {
    serde_path_to_error::deserialize(value).map_err(|error| EventError::json(&error).within(name))
}

/// Reads `null` as the empty value; with `#[serde(default)]`, a missing field too.
pub(crate) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list whose items are parsed as `W`.
pub(crate) fn list<'de, D: Deserializer<'de>, W: Deserialize<'de> + Into<T>, T>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let parsed = Vec::<W>::deserialize(deserializer)?;
    Ok(parsed.into_iter().map(Into::into).collect())
}

/// The same, with `null` as an empty list.
pub(crate) fn list_or_empty<'de, D: Deserializer<'de>, W: Deserialize<'de> + Into<T>, T>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let parsed: Vec<W> = or_empty(deserializer)?;
    Ok(parsed.into_iter().map(Into::into).collect())
}
