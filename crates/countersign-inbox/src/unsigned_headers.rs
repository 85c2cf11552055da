//! Headers that no signature covers.

use std::fmt;

use countersign::Headers;
use serde::{Deserialize, Serialize};

/// Headers that were kept with a delivery although **no signature covers them**: anyone who replays a delivery can change them.
/// Use them to trace a request, never to decide what to do.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnsignedHeaders(Vec<(String, Value)>);

/// A value as JSON can hold it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

impl UnsignedHeaders {
    pub(crate) fn choose(names: &[String], headers: &(impl Headers + ?Sized)) -> Self {
        let mut kept = Vec::new();
        for name in names {
            headers.for_each_value(name, &mut |value| {
                let value = match std::str::from_utf8(value) {
                    Ok(text) => Value::Text(text.to_owned()),
                    Err(_) => Value::Bytes(value.to_vec()),
                };
                kept.push((name.clone(), value));
            });
        }
        Self(kept)
    }

    pub(crate) fn to_json(&self) -> String {
        // A list of strings and numbers always serializes.
        serde_json::to_string(self).unwrap_or_else(|_| "[]".to_owned())
    }

    pub(crate) fn from_json(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// The values of the header `name`, in the order of the wire. Names match in any case.
    pub fn get<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.iter().filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Each name, in lower case, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| {
            let value = match value {
                Value::Text(text) => text.as_bytes(),
                Value::Bytes(bytes) => bytes,
            };
            (name.as_str(), value)
        })
    }
}

impl fmt::Debug for UnsignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.escape_ascii().to_string())))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_byte_by_byte_even_if_they_are_no_text() {
        let headers: [(&str, &[u8]); 3] =
            [("X-Request-Id", b"a\"1"), ("x-raw", b"\xff\x00"), ("x-request-id", b"2")];
        let kept = UnsignedHeaders::choose(&["x-request-id".into(), "x-raw".into()], &headers);
        let back = UnsignedHeaders::from_json(&kept.to_json());
        assert_eq!(back, kept);
        let values: Vec<_> = back.get("X-Request-ID").collect();
        assert_eq!(values, [&b"a\"1"[..], b"2"]);
        assert_eq!(back.get("x-raw").collect::<Vec<_>>(), [b"\xff\x00"]);
    }

    #[test]
    fn only_chosen_headers_are_kept() {
        let kept = UnsignedHeaders::choose(&["a".into()], &[("a", "1"), ("authorization", "secret")]);
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("a", &b"1"[..])]);
    }
}
