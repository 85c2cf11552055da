//! The claimed signatures: from the header's value to bytes.

use std::{ops::RangeInclusive, str};

use smallvec::{SmallVec, smallvec};

use crate::{
    keys::token,
    schemes::{
        list::{Layout, SignatureList},
        scheme::Scheme,
    },
    verdicts::{
        kind::RejectionKind as Kind,
        rejection::{Detail, Fault},
    },
    wire::{
        encoding::{DecodeError, Encoding, SignatureBytes, is_signature_character},
        timestamp::{Timestamp, TimestampPlace},
    },
};

/// Limit on the header's value, in bytes: far more than any sender writes.
const LONGEST_VALUE: usize = 8192;

/// Limit on the items of a list: a sender in the middle of a key rotation sends two or three.
const MOST_ITEMS: usize = 16;

/// What the signature header claims.
#[derive(Debug)]
pub(crate) struct Claims<'h> {
    /// Never empty.
    pub(crate) signatures: SmallVec<[SignatureBytes; 1]>,
    /// The text of a timestamp listed with them, as it was received.
    pub(crate) timestamp: Option<&'h str>,
}

impl<'h> Claims<'h> {
    /// Reads the header's value. `lengths` are the signature lengths in bytes that some key can make.
    pub(crate) fn read(
        scheme: &Scheme,
        lengths: &[RangeInclusive<usize>],
        value: &'h [u8],
    ) -> Result<Self, Fault> {
        // White space around a field's value is not part of it, RFC 9110 §5.5, but not every server removes it.
        let value = value.trim_ascii();
        if value.is_empty() {
            return Err(Kind::SignatureEmpty.into());
        }
        if value.len() > LONGEST_VALUE {
            return Err(Kind::SignatureTooLong.into());
        }
        if !value.is_ascii() {
            return Err(Kind::SignatureNotAscii.into());
        }
        if !scheme.algorithm().signs() {
            let token = SignatureBytes::from_slice(&token::hash(value));
            return Ok(Self { signatures: smallvec![token], timestamp: None });
        }
        let decode = |text: &[u8]| decode(scheme.encoding, text, lengths);
        let one = |text: &[u8]| Ok(Self { signatures: smallvec![decode(text)?], timestamp: None });
        match &scheme.layout {
            Layout::Bare => one(value),
            Layout::Prefixed(prefix) => match strip_prefix(value, prefix.as_bytes()) {
                Some(text) => one(text).map_err(|fault| {
                    if is_doubled(text, prefix.as_bytes()) { Kind::SignatureLabel.into() } else { fault }
                }),
                None => Err(Kind::SignatureLabel.into()),
            },
            Layout::List(list) => {
                // ASCII is UTF-8.
                let value = str::from_utf8(value).map_err(|_| Kind::SignatureNotAscii)?;
                Self::read_list(list, scheme.timestamp.as_ref(), value, decode)
            }
        }
    }

    fn read_list(
        list: &SignatureList,
        timestamp: Option<&Timestamp>,
        value: &'h str,
        decode: impl Fn(&[u8]) -> Result<SignatureBytes, Fault>,
    ) -> Result<Self, Fault> {
        let timestamp_label = timestamp.and_then(|timestamp| match &timestamp.place {
            TimestampPlace::Listed(label) => Some(&**label),
            TimestampPlace::Header(_) | TimestampPlace::Unsigned => None,
        });
        let mut signatures = SmallVec::new();
        let mut timestamps = SmallVec::<[&str; 1]>::new();
        let mut malformed: Option<Fault> = None;
        for (position, item) in value.split(list.separator).enumerate() {
            if position >= MOST_ITEMS {
                return Err(Kind::TooManySignatures.into());
            }
            let text = match Item::read(list, item.trim_ascii(), timestamp_label, position) {
                Item::Timestamp(text) => {
                    timestamps.push(text);
                    continue;
                }
                Item::Signature(text) => text,
                Item::Unknown => continue,
            };
            match decode(text.as_bytes()) {
                Ok(signature) => signatures.push(signature),
                // It must not hide a valid one. If none is valid, the one that got furthest explains most.
                Err(fault) if malformed.as_ref().is_none_or(|earlier| earlier.kind < fault.kind) => {
                    malformed = Some(fault);
                }
                Err(_) => {}
            }
        }
        if signatures.is_empty() {
            return Err(malformed.unwrap_or_else(|| Kind::SignatureUnlisted.into()));
        }
        match (timestamps.as_slice(), timestamp_label) {
            ([], Some(_)) => Err(Kind::TimestampMissing.into()),
            ([timestamp], Some(_)) => Ok(Self { signatures, timestamp: Some(*timestamp) }),
            ([..], Some(_)) => Err(Kind::TimestampRepeated.into()),
            (_, None) => Ok(Self { signatures, timestamp: None }),
        }
    }
}

/// What an item of a list is.
enum Item<'h> {
    Timestamp(&'h str),
    Signature(&'h str),
    /// An unknown version of the signature, or nothing.
    Unknown,
}

impl<'h> Item<'h> {
    fn read(list: &SignatureList, item: &'h str, timestamp_label: Option<&str>, position: usize) -> Self {
        let Some((label, assignment)) = &list.label else { return Self::Signature(item) };
        match split_label(item, *assignment) {
            Some((found, text)) if found.eq_ignore_ascii_case(label) => Self::Signature(text),
            Some((found, text)) if timestamp_label.is_some_and(|label| found.eq_ignore_ascii_case(label)) => {
                Self::Timestamp(text)
            }
            None if list.bare_items && position == 0 => Self::Timestamp(item),
            None if list.bare_items => Self::Signature(item),
            Some(_) | None => Self::Unknown,
        }
    }
}

/// The value without its prefix. A prefix that ends in `=` is a label, which may have spaces around the `=`.
fn strip_prefix<'v>(value: &'v [u8], prefix: &[u8]) -> Option<&'v [u8]> {
    let label = prefix.strip_suffix(b"=");
    let (found, text) = value.split_at_checked(label.unwrap_or(prefix).len())?;
    if !found.eq_ignore_ascii_case(label.unwrap_or(prefix)) {
        return None;
    }
    match label {
        Some(_) => text.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start),
        None => Some(text),
    }
}

/// Whether the text begins with the prefix once more. A prefix that a signature could begin with proves nothing.
fn is_doubled(text: &[u8], prefix: &[u8]) -> bool {
    !prefix.iter().copied().all(is_signature_character) && strip_prefix(text, prefix).is_some()
}

fn split_label(item: &str, assignment: char) -> Option<(&str, &str)> {
    let (label, text) = item.split_once(assignment)?;
    Some((label.trim_ascii_end(), text.trim_ascii_start()))
}

fn decode(
    encoding: Encoding,
    text: &[u8],
    lengths: &[RangeInclusive<usize>],
) -> Result<SignatureBytes, Fault> {
    if text.is_empty() {
        return Err(Kind::SignatureEmpty.into());
    }
    encoding.decode(text, lengths).map_err(|error| match error {
        DecodeError::Length { claimed, wanted } => {
            Fault::new(Kind::SignatureLength, Detail::Characters { claimed, wanted })
        }
        DecodeError::Character => Kind::SignatureEncoding.into(),
        DecodeError::NotCanonical => Kind::SignatureNotCanonical.into(),
    })
}
