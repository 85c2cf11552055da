//! The claimed signature: from the header's value to bytes.

use data_encoding::{BASE64, BASE64_NOPAD, DecodeKind, HEXLOWER_PERMISSIVE};
use smallvec::SmallVec;

use crate::{
    rejection::{Detail, Fault, RejectionKind as Kind},
    scheme::{Encoding, Layout, Scheme},
};

/// The longest header value that is looked at, in bytes: far more than any sender writes.
const LONGEST_VALUE: usize = 8192;

/// The most items of a list: a sender in the middle of a rotation sends two or three.
const MOST_ITEMS: usize = 16;

/// Room for the longest signature of any algorithm, RSA with a modulus of 4096 bits, and for the two bytes that
/// base64's padding may stand for before it is decoded.
const DECODED: usize = 512 + 2;

/// A signature that the request claims, decoded. Those of an HMAC stay on the stack.
pub(crate) type Claimed = SmallVec<[u8; 32]>;

/// What the header claims.
#[derive(Debug)]
pub(crate) struct Claims<'h> {
    /// Never empty.
    pub(crate) signatures: SmallVec<[Claimed; 1]>,
    /// The timestamp's text, as it was received.
    pub(crate) timestamp: Option<&'h str>,
}

impl<'h> Claims<'h> {
    /// Reads the header's value; `lengths` are the signature lengths in bytes that some key could have made.
    pub(crate) fn read(scheme: &Scheme, lengths: &[usize], value: &'h [u8]) -> Result<Self, Fault> {
        // White space around a field's value is not part of it, RFC 9110 §5.5: servers differ in removing it.
        let value = value.trim_ascii();
        if value.is_empty() {
            return Err(Kind::SignatureEmpty.into());
        }
        if value.len() > LONGEST_VALUE {
            return Err(Kind::SignatureTooLong.into());
        }
        let value = match std::str::from_utf8(value) {
            Ok(text) if text.is_ascii() => text,
            Ok(_) | Err(_) => return Err(Kind::SignatureNotAscii.into()),
        };
        let decode = |text: &str| scheme.encoding.decode(text, lengths);
        let one = |text: &str| Ok(Self { signatures: SmallVec::from_iter([decode(text)?]), timestamp: None });
        match scheme.layout {
            Layout::Bare => one(value),
            Layout::Labelled(label) => match strip_label(value, label) {
                Some(text) if strip_label(text, label).is_none() => one(text),
                Some(_) | None => Err(Kind::SignatureLabel.into()),
            },
            Layout::List { separator, timestamp, signature } => {
                Self::read_list(value.split(separator), timestamp, signature, decode)
            }
        }
    }

    fn read_list(
        items: impl Iterator<Item = &'h str>,
        timestamp_label: &str,
        signature_label: &str,
        decode: impl Fn(&str) -> Result<Claimed, Fault>,
    ) -> Result<Self, Fault> {
        let mut signatures = SmallVec::new();
        let mut timestamps = SmallVec::<[&str; 1]>::new();
        let mut malformed: Option<Fault> = None;
        for (position, item) in items.enumerate() {
            if position >= MOST_ITEMS {
                return Err(Kind::TooManySignatures.into());
            }
            let item = item.trim_ascii();
            let (is_timestamp, text) = match split_label(item) {
                Some((label, text)) if label.eq_ignore_ascii_case(timestamp_label) => (true, text),
                Some((label, text)) if label.eq_ignore_ascii_case(signature_label) => (false, text),
                // A version of the signature that we do not know.
                Some(_) => continue,
                None => (position == 0, item),
            };
            if is_timestamp {
                timestamps.push(text);
                continue;
            }
            match decode(text) {
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
        match *timestamps {
            [] => Err(Kind::TimestampMissing.into()),
            [timestamp] => Ok(Self { signatures, timestamp: Some(timestamp) }),
            [..] => Err(Kind::TimestampRepeated.into()),
        }
    }
}

fn strip_label<'v>(value: &'v str, label: &str) -> Option<&'v str> {
    split_label(value).filter(|(found, _)| found.eq_ignore_ascii_case(label)).map(|(_, text)| text)
}

fn split_label(item: &str) -> Option<(&str, &str)> {
    let (label, text) = item.split_once('=')?;
    Some((label.trim_ascii_end(), text.trim_ascii_start()))
}

impl Encoding {
    /// The bytes of a signature, of one of `lengths`.
    fn decode(self, text: &str, lengths: &[usize]) -> Result<Claimed, Fault> {
        if text.is_empty() {
            return Err(Kind::SignatureEmpty.into());
        }
        let encoding = match self {
            Self::HexLower | Self::HexUpper => HEXLOWER_PERMISSIVE,
            Self::Base64PaddingOptional if !text.ends_with('=') => BASE64_NOPAD,
            Self::Base64 | Self::Base64PaddingOptional => BASE64,
        };
        let wrong_length = || {
            let wanted = lengths.first().map_or(0, |&length| encoding.encode_len(length));
            Fault { kind: Kind::SignatureLength, detail: Detail::Characters { claimed: text.len(), wanted } }
        };
        // The length in characters comes first: what is decoded afterwards always fits.
        let length = lengths.iter().find(|&&length| encoding.encode_len(length) == text.len());
        let length = *length.ok_or_else(wrong_length)?;
        let mut buffer = [0; DECODED];
        let decoded = encoding
            .decode_len(text.len())
            .ok()
            .and_then(|length| buffer.get_mut(..length))
            .ok_or_else(wrong_length)?;
        let written =
            encoding.decode_mut(text.as_bytes(), decoded).map_err(|partial| match partial.error.kind {
                DecodeKind::Length => wrong_length(),
                DecodeKind::Symbol | DecodeKind::Padding => Kind::SignatureEncoding.into(),
                DecodeKind::Trailing => Kind::SignatureNotCanonical.into(),
            })?;
        match decoded.get(..written) {
            Some(signature) if written == length => Ok(Claimed::from_slice(signature)),
            // The library reads base64 that was padded in the middle, or too much, as fewer bytes.
            Some(_) | None => Err(Kind::SignatureEncoding.into()),
        }
    }

    /// The text that the sender writes for a signature.
    #[cfg(feature = "sign")]
    pub(crate) fn encode(self, signature: &[u8]) -> String {
        match self {
            Self::HexLower => data_encoding::HEXLOWER.encode(signature),
            Self::HexUpper => data_encoding::HEXUPPER.encode(signature),
            Self::Base64 | Self::Base64PaddingOptional => BASE64.encode(signature),
        }
    }
}
