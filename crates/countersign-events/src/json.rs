use std::str;

use countersign::VerifiedDelivery;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::EventError;

/// Parses the JSON of a delivery that a scheme of one of these names verified: what an implementation of
/// [`FromDelivery`](crate::FromDelivery) calls.
///
/// One byte order mark before the JSON is skipped, as RFC 8259 allows. White space may follow the JSON, nothing else.
///
/// # Errors
/// [`OtherScheme`](EventError::OtherScheme) where another scheme verified the delivery, and then for a body that is not UTF-8,
/// that is empty or otherwise not JSON, that is nested deeper than 127 levels, or that `T` does not take.
pub fn json<T: DeserializeOwned>(
    delivery: &VerifiedDelivery,
    schemes: &'static [&'static str],
) -> Result<T, EventError> {
    let verified = delivery.scheme().name();
    if !schemes.contains(&verified) {
        return Err(EventError::OtherScheme { verified: verified.to_owned(), accepted: schemes });
    }
    let text = str::from_utf8(delivery.body()).map_err(EventError::not_utf8)?;
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

/// A field that means its empty value where it is `null`; with `#[serde(default)]`, where it is missing too.
pub(crate) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A list of what is parsed as `W`.
pub(crate) fn list<'de, D: Deserializer<'de>, W: Deserialize<'de> + Into<T>, T>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let parsed = Vec::<W>::deserialize(deserializer)?;
    Ok(parsed.into_iter().map(Into::into).collect())
}

/// The same, empty where it is `null`.
pub(crate) fn list_or_empty<'de, D: Deserializer<'de>, W: Deserialize<'de> + Into<T>, T>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let parsed: Vec<W> = or_empty(deserializer)?;
    Ok(parsed.into_iter().map(Into::into).collect())
}
