//! JSON written anew with its order, numbers and repeated keys kept, as serializers in use write it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Limit on nesting, which each style indents.
const DEEPEST: usize = 64;

/// Limit on what is written, in bytes: indentation can make a body much longer.
const LONGEST: usize = 1 << 20;

pub(crate) enum Json<'t> {
    /// A number, `true`, `false` or `null`, as it was written.
    Scalar(&'t str),
    Text(Text<'t>),
    Array(Vec<Json<'t>>),
    Object(Vec<(Text<'t>, Json<'t>)>),
}

/// A string as it was written, quotes included, and as it reads.
pub(crate) struct Text<'t> {
    raw: &'t str,
    read: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Minified,
    Spaced,
    Indented(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    Kept,
    None,
    Unicode,
    Slashes,
    UnicodeAndSlashes,
    Html,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) layout: Layout,
    pub(crate) escapes: Escapes,
    pub(crate) sorted: bool,
}

impl<'t> Json<'t> {
    /// Reads an array or object.
    pub(crate) fn read(body: &'t [u8]) -> Option<Self> {
        let raw: &RawValue = serde_json::from_slice(body).ok()?;
        matches!(raw.get().as_bytes().first(), Some(b'{' | b'[')).then(|| Self::value(raw, 0)).flatten()
    }

    fn value(raw: &'t RawValue, depth: usize) -> Option<Self> {
        let below = depth.checked_add(1).filter(|&below| below <= DEEPEST)?;
        let text = raw.get();
        match text.as_bytes().first()? {
            b'{' => {
                let Pairs(pairs) = serde_json::from_str(text).ok()?;
                let pair = |(key, value)| Some((Text::read(key)?, Self::value(value, below)?));
                pairs.into_iter().map(pair).collect::<Option<_>>().map(Self::Object)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                items.into_iter().map(|item| Self::value(item, below)).collect::<Option<_>>().map(Self::Array)
            }
            b'"' => Text::read(raw).map(Self::Text),
            _ => Some(Self::Scalar(text)),
        }
    }

    /// `None` if the result would be longer than 1 MiB.
    pub(crate) fn write(&self, style: Style) -> Option<Vec<u8>> {
        let mut out = String::new();
        self.append(style, 0, &mut out)?;
        Some(out.into_bytes())
    }

    fn append(&self, style: Style, depth: usize, out: &mut String) -> Option<()> {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Text(text) => text.append(style.escapes, out)?,
            Self::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    style.layout.before_item(place, depth, out);
                    item.append(style, depth.saturating_add(1), out)?;
                }
                style.layout.end(items.is_empty(), depth, out);
                out.push(']');
            }
            Self::Object(pairs) => {
                out.push('{');
                let mut pairs: Vec<_> = pairs.iter().collect();
                if style.sorted {
                    pairs.sort_by(|(one, _), (other, _)| one.read.cmp(&other.read));
                }
                for (place, (key, value)) in pairs.iter().enumerate() {
                    style.layout.before_item(place, depth, out);
                    key.append(style.escapes, out)?;
                    out.push_str(if style.layout == Layout::Minified { ":" } else { ": " });
                    value.append(style, depth.saturating_add(1), out)?;
                }
                style.layout.end(pairs.is_empty(), depth, out);
                out.push('}');
            }
        }
        (out.len() <= LONGEST).then_some(())
    }
}

impl<'t> Text<'t> {
    fn read(raw: &'t RawValue) -> Option<Self> {
        let raw = raw.get();
        Some(Self { raw, read: serde_json::from_str(raw).ok()? })
    }

    fn append(&self, escapes: Escapes, out: &mut String) -> Option<()> {
        if escapes == Escapes::Kept {
            out.push_str(self.raw);
            return Some(());
        }
        for char in serde_json::to_string(&self.read).ok()?.chars() {
            match (escapes, char) {
                (Escapes::Slashes | Escapes::UnicodeAndSlashes, '/') => out.push_str("\\/"),
                (Escapes::Unicode | Escapes::UnicodeAndSlashes, '\u{7f}'..)
                | (Escapes::Html, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                _ => out.push(char),
            }
        }
        Some(())
    }
}

impl Layout {
    fn before_item(self, place: usize, depth: usize, out: &mut String) {
        if place > 0 {
            out.push_str(if self == Self::Spaced { ", " } else { "," });
        }
        self.line(depth.saturating_add(1), out);
    }

    fn end(self, is_empty: bool, depth: usize, out: &mut String) {
        if !is_empty {
            self.line(depth, out);
        }
    }

    fn line(self, depth: usize, out: &mut String) {
        if let Self::Indented(indent) = self {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str(indent));
        }
    }
}

/// An object's keys and values as they were written, in order.
struct Pairs<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
