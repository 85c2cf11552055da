//! How a signature's bytes are written as text.

use std::ops::RangeInclusive;

use base64::{
    DecodeError as Base64Error, Engine,
    engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use smallvec::SmallVec;

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hex, accepted in either case; the sender writes lower case.
    Hex,
    /// Hex, accepted in either case; the sender writes upper case.
    HexUpper,
    /// Base64 with the standard alphabet, [RFC 4648 §4](https://www.rfc-editor.org/rfc/rfc4648#section-4).
    Base64(Padding),
    /// Base64 with the URL-safe alphabet, [RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5).
    Base64Url(Padding),
}

/// The `=` at the end of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// It must be present.
    Required,
    /// All of it may be present, or none; the sender writes it.
    Optional,
    /// It must be absent.
    Absent,
}

/// A decoded signature. One of up to 36 bytes, such as an HMAC-SHA256, stays on the stack.
pub(crate) type SignatureBytes = SmallVec<[u8; 36]>;

/// Why a text is not a signature of the wanted length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// Lengths in characters.
    Length {
        claimed: usize,
        wanted: usize,
    },
    Character,
    NotCanonical,
}

impl Encoding {
    /// Decodes a signature whose length in bytes must lie in one of `lengths`.
    ///
    /// The text's length is checked before anything is allocated for it.
    pub(crate) fn decode(
        self,
        text: &[u8],
        lengths: &[RangeInclusive<usize>],
    ) -> Result<SignatureBytes, DecodeError> {
        let base64 = self.base64_for(text);
        let characters = |bytes: usize| match &base64 {
            Some((_, padded)) => base64::encoded_len(bytes, *padded).unwrap_or(usize::MAX),
            None => bytes.saturating_mul(2),
        };
        let wanted = lengths.first().map_or(0, |range| characters(*range.end()));
        let wrong_length = || DecodeError::Length { claimed: text.len(), wanted };
        let fits = |range: &RangeInclusive<usize>| {
            (characters(*range.start())..=characters(*range.end())).contains(&text.len())
        };
        if !lengths.iter().any(fits) {
            return Err(wrong_length());
        }
        let Some((engine, _)) = base64 else {
            let mut signature = SignatureBytes::from_elem(0, text.len() / 2);
            base16ct::mixed::decode(text, &mut signature).map_err(|error| match error {
                base16ct::Error::InvalidLength => wrong_length(),
                base16ct::Error::InvalidEncoding => DecodeError::Character,
            })?;
            return Ok(signature);
        };
        let mut signature = SignatureBytes::from_elem(0, base64::decoded_len_estimate(text.len()));
        let written = engine.decode_slice_unchecked(text, &mut signature).map_err(|error| match error {
            Base64Error::InvalidLength(_) => wrong_length(),
            Base64Error::InvalidByte(..) | Base64Error::InvalidPadding => DecodeError::Character,
            Base64Error::InvalidLastSymbol { .. } => DecodeError::NotCanonical,
        })?;
        signature.truncate(written);
        // Characters instead of padding decode to more bytes, extra padding to fewer.
        if lengths.iter().any(|range| range.contains(&written)) {
            Ok(signature)
        } else {
            Err(DecodeError::Character)
        }
    }

    /// The base64 engine for this text and whether it expects padding; `None` for hex.
    fn base64_for(self, text: &[u8]) -> Option<(&'static GeneralPurpose, bool)> {
        let is_padded = |padding| match padding {
            Padding::Required => true,
            Padding::Optional => text.ends_with(b"="),
            Padding::Absent => false,
        };
        match self {
            Self::Hex | Self::HexUpper => None,
            Self::Base64(padding) if is_padded(padding) => Some((&STANDARD, true)),
            Self::Base64(_) => Some((&STANDARD_NO_PAD, false)),
            Self::Base64Url(padding) if is_padded(padding) => Some((&URL_SAFE, true)),
            Self::Base64Url(_) => Some((&URL_SAFE_NO_PAD, false)),
        }
    }

    /// The text that the sender writes for a signature.
    #[cfg(feature = "sign")]
    pub(crate) fn encode(self, signature: &[u8]) -> String {
        match self {
            Self::Hex => base16ct::lower::encode_string(signature),
            Self::HexUpper => base16ct::upper::encode_string(signature),
            Self::Base64(Padding::Absent) => STANDARD_NO_PAD.encode(signature),
            Self::Base64(_) => STANDARD.encode(signature),
            Self::Base64Url(Padding::Absent) => URL_SAFE_NO_PAD.encode(signature),
            Self::Base64Url(_) => URL_SAFE.encode(signature),
        }
    }
}

/// Whether a signature can contain this character in some encoding.
pub(crate) fn is_signature_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}
