use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hex, accepted in either case; the sender writes lower case.
    Hex,
    /// Hex, accepted in either case; the sender writes upper case.
    HexUpper,
    /// Base64 of the standard alphabet, [RFC 4648 §4](https://www.rfc-editor.org/rfc/rfc4648#section-4).
    Base64(Padding),
    /// Base64 of the alphabet for URLs, [RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5).
    Base64Url(Padding),
}

/// The `=` at the end of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// It must be there.
    Required,
    /// It may be there; the sender writes it.
    Optional,
    /// It must not be there.
    Absent,
}

impl Encoding {
    /// The codec for a text that claims to be a signature in base64; none where it is hex.
    pub(crate) fn base64(self, text: &[u8]) -> Option<data_encoding::Encoding> {
        let padded = |padding| match padding {
            Padding::Required => true,
            Padding::Optional => text.ends_with(b"="),
            Padding::Absent => false,
        };
        match self {
            Self::Hex | Self::HexUpper => None,
            Self::Base64(padding) if padded(padding) => Some(BASE64),
            Self::Base64(_) => Some(BASE64_NOPAD),
            Self::Base64Url(padding) if padded(padding) => Some(BASE64URL),
            Self::Base64Url(_) => Some(BASE64URL_NOPAD),
        }
    }

    /// The text that the sender writes for a signature.
    #[cfg(feature = "sign")]
    pub(crate) fn encode(self, signature: &[u8]) -> String {
        let encoding = match self {
            Self::Hex => data_encoding::HEXLOWER,
            Self::HexUpper => data_encoding::HEXUPPER,
            Self::Base64(Padding::Absent) => BASE64_NOPAD,
            Self::Base64(_) => BASE64,
            Self::Base64Url(Padding::Absent) => BASE64URL_NOPAD,
            Self::Base64Url(_) => BASE64URL,
        };
        encoding.encode(signature)
    }
}
