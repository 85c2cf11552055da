//! Changes that can happen to a delivery in transit.

use arbitrary::Arbitrary;

use crate::reference::{Delivery, Form, Scheme};

#[derive(Arbitrary, Debug)]
pub enum Mutation<'a> {
    HeaderByte { header: u8, at: u8, byte: u8 },
    HeaderInsert { header: u8, at: u8, bytes: &'a [u8] },
    HeaderRemove { header: u8, at: u8 },
    HeaderUpper { header: u8 },
    NameUpper { header: u8 },
    Duplicate { header: u8 },
    Drop { header: u8 },
    Swap { header: u8 },
    Item { text: &'a str, in_front: bool },
    Again { times: u8 },
    Pad { header: u8 },
    Unpad,
    ContentLength { digits: u16 },
    ContentEncoding { identity: bool },
    AnyHeader { value: &'a [u8] },
    BodyByte { at: u8, byte: u8 },
    BodyPush { byte: u8 },
    BodyPop,
    Method { text: &'a str },
    Target { text: &'a str },
}

impl Mutation<'_> {
    pub fn apply(&self, scheme: &Scheme, delivery: &mut Delivery) {
        let count = delivery.headers.len().max(1);
        let signature = delivery.headers.iter().position(|(name, _)| *name == scheme.header);
        let separator = match scheme.form {
            Form::List { separator, .. } => separator,
            _ => ',',
        };
        let mut header = |index: u8, change: &mut dyn FnMut(&mut String, &mut Vec<u8>)| {
            if let Some((name, value)) = delivery.headers.get_mut(usize::from(index) % count) {
                change(name, value);
            }
        };
        let place = |at: u8, value: &[u8]| usize::from(at) % value.len().max(1);
        match *self {
            Self::HeaderByte { header: index, at, byte } => header(index, &mut |_, value| {
                let at = place(at, value);
                value.get_mut(at..=at).into_iter().for_each(|old| old.fill(byte));
            }),
            Self::HeaderInsert { header: index, at, bytes } => header(index, &mut |_, value| {
                let at = place(at, value);
                value.splice(at..at, bytes.iter().copied());
            }),
            Self::HeaderRemove { header: index, at } => header(index, &mut |_, value| {
                let at = place(at, value);
                value.splice(at..value.len().min(at + 1), []);
            }),
            Self::HeaderUpper { header: index } => {
                header(index, &mut |_, value| value.make_ascii_uppercase())
            }
            Self::NameUpper { header: index } => header(index, &mut |name, _| name.make_ascii_uppercase()),
            Self::Pad { header: index } => header(index, &mut |_, value| {
                value.insert(0, b'\t');
                value.push(b' ');
            }),
            Self::Duplicate { header: index } => {
                let copy = delivery.headers.get(usize::from(index) % count).cloned();
                delivery.headers.extend(copy);
            }
            Self::Drop { header: index } => {
                let at = usize::from(index) % count;
                delivery.headers.splice(at..delivery.headers.len().min(at + 1), []);
            }
            Self::Swap { header: index } => {
                let middle = delivery.headers.len().min(usize::from(index));
                delivery.headers.rotate_left(middle);
            }
            Self::Item { text, in_front } => signature_value(delivery, signature, |value| {
                let joined = match in_front {
                    true => format!("{text}{separator}{value}"),
                    false => format!("{value}{separator}{text}"),
                };
                *value = joined;
            }),
            Self::Again { times } => signature_value(delivery, signature, |value| {
                let last = value.rsplit(separator).next().unwrap_or_default().to_owned();
                (0..times % 20).for_each(|_| *value = format!("{value}{separator}{last}"));
            }),
            Self::Unpad => signature_value(delivery, signature, |value| *value = value.replace('=', "")),
            Self::ContentLength { digits } => {
                delivery.headers.push(("content-length".to_owned(), digits.to_string().into_bytes()));
            }
            Self::ContentEncoding { identity } => {
                let value = if identity { "Identity" } else { "gzip" };
                delivery.headers.push(("Content-Encoding".to_owned(), value.into()));
            }
            Self::AnyHeader { value } => delivery.headers.push(("Content-Length".to_owned(), value.to_vec())),
            Self::BodyByte { at, byte } => {
                let at = place(at, &delivery.body);
                delivery.body.get_mut(at..=at).into_iter().for_each(|old| old.fill(byte));
            }
            Self::BodyPush { byte } => delivery.body.push(byte),
            Self::BodyPop => drop(delivery.body.pop()),
            Self::Method { text } => delivery.method = text.to_owned(),
            Self::Target { text } => delivery.target = text.to_owned(),
        }
    }
}

fn signature_value(delivery: &mut Delivery, at: Option<usize>, change: impl FnOnce(&mut String)) {
    if let Some((_, value)) = at.and_then(|at| delivery.headers.get_mut(at)) {
        let mut text = String::from_utf8_lossy(value).into_owned();
        change(&mut text);
        *value = text.into_bytes();
    }
}
