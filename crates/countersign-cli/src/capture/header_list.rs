use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// Headers in JSON: a list of pairs or of objects with name and value, or an object with a value or a list of values for each
/// name. One that was sent twice stays twice.
#[derive(Debug, Default)]
pub(super) struct HeaderList(pub(super) Vec<(String, Vec<u8>)>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Pair {
    List(String, String),
    Named { name: String, value: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for HeaderList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl HeaderList {
    fn add(&mut self, name: String, value: String) {
        // HTTP/2 puts method and address among the headers.
        if !name.starts_with(':') {
            self.0.push((name, value.into_bytes()));
        }
    }
}

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = HeaderList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object of headers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<HeaderList, A::Error> {
        let mut headers = HeaderList::default();
        while let Some(Pair::List(name, value) | Pair::Named { name, value }) = items.next_element()? {
            headers.add(name, value);
        }
        Ok(headers)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderList, A::Error> {
        let mut headers = HeaderList::default();
        while let Some((name, values)) = map.next_entry::<String, Values>()? {
            match values {
                Values::One(value) => headers.add(name, value),
                Values::Many(values) => values.into_iter().for_each(|value| headers.add(name.clone(), value)),
            }
        }
        Ok(headers)
    }
}
