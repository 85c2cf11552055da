//! The claimed signature: from the header's value to bytes.

use std::ops::RangeInclusive;

use data_encoding::DecodeKind;
use smallvec::{SmallVec, smallvec};

use crate::{
    algorithm::token,
    rejection::{Detail, Fault, RejectionKind as Kind},
    scheme::{Encoding, Layout, Scheme, SignatureList},
    timestamp::{Timestamp, TimestampPlace},
};

/// The longest header value that is looked at, in bytes: far more than any sender writes.
const LONGEST_VALUE: usize = 8192;

/// The most items of a list: a sender in the middle of a rotation sends two or three.
const MOST_ITEMS: usize = 16;

/// A signature that the request claims, decoded. That of an HMAC-SHA256 stays on the stack, with the two bytes that base64's
/// padding may stand for before it is decoded.
pub(crate) type Claimed = SmallVec<[u8; 36]>;

/// What the header claims.
#[derive(Debug)]
pub(crate) struct Claims<'h> {
    /// Never empty.
    pub(crate) signatures: SmallVec<[Claimed; 1]>,
    /// The text of a timestamp that is listed beside them, as it was received.
    pub(crate) timestamp: Option<&'h str>,
}

impl<'h> Claims<'h> {
    /// Reads the header's value; `lengths` are the signature lengths in bytes that some key could have made.
    pub(crate) fn read(
        scheme: &Scheme,
        lengths: &[RangeInclusive<usize>],
        value: &'h [u8],
    ) -> Result<Self, Fault> {
        // White space around a field's value is not part of it, RFC 9110 §5.5: servers differ in removing it.
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
        if !scheme.algorithm.signs() {
            let token = Claimed::from_slice(&token::hash(value));
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
                // What is ASCII is UTF-8.
                let value = str::from_utf8(value).map_err(|_| Kind::SignatureNotAscii)?;
                Self::read_list(list, scheme.timestamp.as_ref(), value, decode)
            }
        }
    }

    fn read_list(
        list: &SignatureList,
        timestamp: Option<&Timestamp>,
        value: &'h str,
        decode: impl Fn(&[u8]) -> Result<Claimed, Fault>,
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
            let text = match list.read(item.trim_ascii(), timestamp_label, position) {
                Item::Timestamp(text) => {
                    timestamps.push(text);
                    continue;
                }
                Item::Signature(text) => text,
                Item::Unknown => continue,
            };
            match decode(text.as_bytes()) {
                Ok(signature) => signatures.push(signature),
                // It hides no valid one beside it. Where there is none, what came furthest says most.
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
    /// A version of the signature that we do not know, or nothing.
    Unknown,
}

impl SignatureList {
    fn read<'h>(&self, item: &'h str, timestamp_label: Option<&str>, position: usize) -> Item<'h> {
        let Some((label, assignment)) = &self.label else { return Item::Signature(item) };
        match split_label(item, *assignment) {
            Some((found, text)) if found.eq_ignore_ascii_case(label) => Item::Signature(text),
            Some((found, text)) if timestamp_label.is_some_and(|label| found.eq_ignore_ascii_case(label)) => {
                Item::Timestamp(text)
            }
            None if self.bare_items && position == 0 => Item::Timestamp(item),
            None if self.bare_items => Item::Signature(item),
            Some(_) | None => Item::Unknown,
        }
    }
}

/// The value without its prefix; a prefix that ends in `=` is a label, which may have spaces round that.
fn strip_prefix<'v>(value: &'v [u8], prefix: &[u8]) -> Option<&'v [u8]> {
    let label = prefix.strip_suffix(b"=");
    // As the sender writes it, nearly always.
    if let Some(text) = value.strip_prefix(prefix) {
        return Some(if label.is_some() { text.trim_ascii_start() } else { text });
    }
    let (found, text) = value.split_at_checked(label.unwrap_or(prefix).len())?;
    if !found.eq_ignore_ascii_case(label.unwrap_or(prefix)) {
        return None;
    }
    match label {
        Some(_) => text.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start),
        None => Some(text),
    }
}

/// Whether the prefix stands there once more. One of characters that a signature may begin with cannot tell.
fn is_doubled(text: &[u8], prefix: &[u8]) -> bool {
    !prefix.iter().copied().all(is_of_signature) && strip_prefix(text, prefix).is_some()
}

/// Whether a signature may hold this character, in some encoding.
pub(crate) fn is_of_signature(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

fn split_label(item: &str, assignment: char) -> Option<(&str, &str)> {
    let (label, text) = item.split_once(assignment)?;
    Some((label.trim_ascii_end(), text.trim_ascii_start()))
}

/// The bytes of a signature, of one of `lengths`.
fn decode(encoding: Encoding, text: &[u8], lengths: &[RangeInclusive<usize>]) -> Result<Claimed, Fault> {
    if text.is_empty() {
        return Err(Kind::SignatureEmpty.into());
    }
    match encoding.base64(text) {
        Some(base64) => decode_base64(&base64, text, lengths),
        None => decode_hex(text, lengths),
    }
}

fn decode_hex(text: &[u8], lengths: &[RangeInclusive<usize>]) -> Result<Claimed, Fault> {
    let length = text.len() / 2;
    if !text.len().is_multiple_of(2) || !lengths.iter().any(|range| range.contains(&length)) {
        return Err(wrong_length(text, lengths, |bytes| bytes.saturating_mul(2)));
    }
    let mut signature = Claimed::from_elem(0, length);
    // A prefix `0x`, which the library takes, leaves too few digits here.
    const_hex::decode_to_slice(text, &mut signature).map_err(|_| Kind::SignatureEncoding)?;
    Ok(signature)
}

fn decode_base64(
    base64: &data_encoding::Encoding,
    text: &[u8],
    lengths: &[RangeInclusive<usize>],
) -> Result<Claimed, Fault> {
    let wrong_length = || wrong_length(text, lengths, |bytes| base64.encode_len(bytes));
    // The length in characters comes first: what is decoded afterwards always fits.
    let in_characters = |range: &&RangeInclusive<usize>| {
        (base64.encode_len(*range.start())..=base64.encode_len(*range.end())).contains(&text.len())
    };
    let lengths = lengths.iter().find(in_characters).ok_or_else(wrong_length)?;
    let length = base64.decode_len(text.len()).map_err(|_| wrong_length())?;
    let mut signature = Claimed::from_elem(0, length);
    let written = base64.decode_mut(text, &mut signature).map_err(|partial| match partial.error.kind {
        DecodeKind::Length => wrong_length(),
        DecodeKind::Symbol | DecodeKind::Padding => Kind::SignatureEncoding.into(),
        DecodeKind::Trailing => Kind::SignatureNotCanonical.into(),
    })?;
    signature.truncate(written);
    if lengths.contains(&written) {
        Ok(signature)
    } else {
        // The library reads base64 that was padded in the middle, or too much, as fewer bytes.
        Err(Kind::SignatureEncoding.into())
    }
}

fn wrong_length(
    text: &[u8],
    lengths: &[RangeInclusive<usize>],
    in_characters: impl Fn(usize) -> usize,
) -> Fault {
    let wanted = lengths.first().map_or(0, |range| in_characters(*range.end()));
    Fault { kind: Kind::SignatureLength, detail: Detail::Characters { claimed: text.len(), wanted } }
}
