//! Reads the fields of an identity from a JSON body, in one pass and without building the document.

use std::{borrow::Cow, fmt, str};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// The value of a field that can be a part of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field<'b> {
    /// Never empty.
    String(Cow<'b, str>),
    /// Its text as written.
    Number(&'b str),
    Missing,
    Repeated,
    /// Neither a number nor a string, or an empty string, or one that is not Unicode.
    Unusable,
}

/// The field at each of these JSON pointers, in their order; `None` if the body is not JSON.
///
/// The recursion is as deep as the longest pointer; `serde_json` skips everything else without recursion.
pub(crate) fn read<'b>(body: &'b [u8], pointers: &[Cow<'static, str>]) -> Option<Vec<Field<'b>>> {
    let text = str::from_utf8(body).ok()?;
    // RFC 8259 §8.1 lets a parser ignore a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut fields = vec![Field::Missing; pointers.len()];
    let paths = pointers.iter().enumerate().map(|(field, pointer)| Path { field, rest: pointer });
    let mut document = serde_json::Deserializer::from_str(text);
    Node { paths: paths.collect(), fields: &mut fields }.deserialize(&mut document).ok()?;
    document.end().ok()?;
    Some(fields)
}

/// The way from a value of the document to a field.
#[derive(Clone, Copy)]
struct Path<'p> {
    /// The field's place in the list.
    field: usize,
    /// The levels still to go, each with its `/`; empty at the field.
    rest: &'p str,
}

impl<'p> Path<'p> {
    /// The next level, and the path from there.
    fn next(self) -> Option<(&'p str, Self)> {
        let levels = self.rest.strip_prefix('/')?;
        let (level, rest) = levels.split_at(levels.find('/').unwrap_or(levels.len()));
        Some((level, Self { rest, ..self }))
    }

    /// The path from the member of this name.
    fn member(self, name: &str) -> Option<Self> {
        let (level, rest) = self.next()?;
        let is_same = if level.contains('~') {
            // In this order: `~01` is `~1`.
            level.replace("~1", "/").replace("~0", "~") == name
        } else {
            level == name
        };
        is_same.then_some(rest)
    }

    /// The element that the next level names, and the path from there.
    fn element(self) -> Option<(usize, Self)> {
        let (level, rest) = self.next()?;
        let is_index =
            level.bytes().all(|byte| byte.is_ascii_digit()) && (level == "0" || !level.starts_with('0'));
        Some((level.parse().ok().filter(|_| is_index)?, rest))
    }
}

type Paths<'p> = SmallVec<[Path<'p>; 2]>;

/// A value of the document that some field lies at or in.
struct Node<'p, 'f, 'b> {
    paths: Paths<'p>,
    fields: &'f mut [Field<'b>],
}

impl<'b> Node<'_, '_, 'b> {
    fn set(&mut self, place: usize, value: Field<'b>) {
        if let Some(field) = self.fields.get_mut(place) {
            *field = value;
        }
    }
}

impl<'b> DeserializeSeed<'b> for Node<'_, '_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(mut self, value: D) -> Result<(), D::Error> {
        match self.paths.as_slice() {
            [Path { field, rest: "" }] => {
                let field = *field;
                let raw = <&RawValue>::deserialize(value)?;
                self.set(field, Field::from(raw.get()));
                Ok(())
            }
            _ => value.deserialize_any(self),
        }
    }
}

impl<'b> Visitor<'b> for Node<'_, '_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'b>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut seen = SmallVec::<[usize; 4]>::new();
        while let Some(paths) = members.next_key_seed(Member(&self.paths))? {
            if paths.is_empty() {
                members.next_value::<IgnoredAny>()?;
            } else if paths.iter().any(|path| seen.contains(&path.field)) {
                members.next_value::<IgnoredAny>()?;
                for path in paths {
                    self.set(path.field, Field::Repeated);
                }
            } else {
                seen.extend(paths.iter().map(|path| path.field));
                members.next_value_seed(Node { paths, fields: self.fields })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut elements: A) -> Result<(), A::Error> {
        let wanted: SmallVec<[(usize, Path<'_>); 2]> =
            self.paths.iter().filter_map(|path| path.element()).collect();
        for place in 0.. {
            let here = wanted.iter().filter(|(element, _)| *element == place);
            let paths: Paths<'_> = here.map(|(_, path)| *path).collect();
            let element = if paths.is_empty() {
                elements.next_element::<IgnoredAny>()?.map(drop)
            } else {
                elements.next_element_seed(Node { paths, fields: self.fields })?
            };
            if element.is_none() {
                break;
            }
        }
        Ok(())
    }

    // The fields lie in something that has none: they are missing.

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member, read as the paths that go through it.
struct Member<'p, 'n>(&'n [Path<'p>]);

impl<'b, 'p> DeserializeSeed<'b> for Member<'p, '_> {
    type Value = Paths<'p>;

    fn deserialize<D: Deserializer<'b>>(self, name: D) -> Result<Paths<'p>, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'p> Visitor<'_> for Member<'p, '_> {
    type Value = Paths<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Paths<'p>, E> {
        Ok(self.0.iter().filter_map(|path| path.member(name)).collect())
    }
}

/// From the JSON text of a value.
impl<'b> From<&'b str> for Field<'b> {
    fn from(json: &'b str) -> Self {
        let quoted = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
        match (quoted, json.bytes().next()) {
            (Some(""), _) => Self::Unusable,
            (Some(text), _) if !text.contains('\\') => Self::String(text.into()),
            // An escaped half of a surrogate pair is JSON but not Unicode.
            (Some(_), _) => {
                serde_json::from_str::<String>(json).map_or(Self::Unusable, |text| Self::String(text.into()))
            }
            (None, Some(b'-' | b'0'..=b'9')) => Self::Number(json),
            (None, _) => Self::Unusable,
        }
    }
}
