//! HMAC, hex and base64 from other crates than the library's.

use aws_lc_rs::hmac;
use base64::{
    Engine,
    alphabet::{self, Alphabet},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use countersign::{Algorithm, Encoding, Padding, SecretForm};

use super::Scheme;

impl Scheme {
    /// Returns `None` for a static token, which is not an HMAC.
    pub(super) fn hmac(&self, text: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match self.algorithm {
            Algorithm::LegacyHmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::HmacSha256 => hmac::HMAC_SHA256,
            Algorithm::HmacSha384 => hmac::HMAC_SHA384,
            Algorithm::HmacSha512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        let key = match &self.secret_form {
            SecretForm::Text => text.to_vec(),
            SecretForm::Base64 { prefix } => {
                let base64 = text.strip_prefix(prefix.as_bytes()).unwrap_or(text);
                from_base64(&alphabet::STANDARD, Padding::Optional, base64).unwrap_or_default()
            }
            _ => hex::decode(text).unwrap_or_default(),
        };
        Some(hmac::sign(&hmac::Key::new(algorithm, &key), content).as_ref().to_vec())
    }

    pub(super) fn decoded(&self, text: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Base64(padding) => from_base64(&alphabet::STANDARD, padding, text),
            Encoding::Base64Url(padding) => from_base64(&alphabet::URL_SAFE, padding, text),
            _ => hex::decode(text).ok(),
        }
    }

    /// The text of the valid signature, or the token.
    pub fn signature(&self, key: &[u8], content: &[u8]) -> String {
        match (self.hmac(key, content), self.encoding) {
            (None, _) => String::from_utf8_lossy(key).into_owned(),
            (Some(right), Encoding::Base64(padding)) => engine(&alphabet::STANDARD, padding).encode(right),
            (Some(right), Encoding::Base64Url(padding)) => engine(&alphabet::URL_SAFE, padding).encode(right),
            (Some(right), Encoding::HexUpper) => hex::encode_upper(right),
            (Some(right), _) => hex::encode(right),
        }
    }
}

fn engine(alphabet: &Alphabet, padding: Padding) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new();
    GeneralPurpose::new(
        alphabet,
        match padding {
            Padding::Required | Padding::Optional => {
                config.with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
            }
            Padding::Absent => {
                config.with_decode_padding_mode(DecodePaddingMode::RequireNone).with_encode_padding(false)
            }
        },
    )
}

/// Where padding is optional, all of it is there or none.
fn from_base64(alphabet: &Alphabet, padding: Padding, text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let text = text.as_ref();
    let padding =
        if padding == Padding::Optional && !text.ends_with(b"=") { Padding::Absent } else { padding };
    engine(alphabet, padding).decode(text).ok()
}
