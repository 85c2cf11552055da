//! Shared secrets.

use std::{borrow::Cow, fmt, path::Path};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    error::BuildError,
    keys::source::{read_env, read_file},
};

/// A secret that is shared with a sender, as the sender shows it.
///
/// Wiped from memory when dropped, and redacted in `Debug`.
///
/// ```
/// use countersign::Secret;
///
/// assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(redacted)");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// How the text of a secret becomes the bytes of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretForm {
    /// The text's bytes are the key, even if they look like base64 or hex. Most senders do this.
    Text,
    /// The text is the key in base64.
    Base64 {
        /// What the sender writes before the base64, such as `whsec_`. A secret without it is accepted too.
        prefix: Cow<'static, str>,
    },
    /// The text is the key in hex.
    Hex,
}

/// A secret's text is not in the form that its scheme expects.
pub(crate) struct WrongForm {
    pub(crate) expected: Cow<'static, str>,
}

impl Secret {
    /// A secret with exactly these bytes: nothing is trimmed or decoded.
    ///
    /// Give the whole text that the sender shows: the scheme knows whether it is the key itself or the key in base64 or
    /// hex. A secret that is empty, or nothing but blanks, line ends or zero bytes, is an error when the verifier is built.
    /// No minimum length is enforced.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Reads a secret from an environment variable: the UTF-8 bytes of its value.
    ///
    /// # Errors
    /// [`EnvUnset`](BuildError::EnvUnset) if the variable is not set, [`EnvEmpty`](BuildError::EnvEmpty) if its value is
    /// empty, [`EnvPadded`](BuildError::EnvPadded) if its value begins or ends with white space, and
    /// [`EnvNotUnicode`](BuildError::EnvNotUnicode) if its value is not UTF-8.
    pub fn from_env(variable: &str) -> Result<Self, BuildError> {
        let value = read_env(variable)?;
        if value.trim() == value.as_str() {
            Ok(Self::new(value.as_bytes()))
        } else {
            Err(BuildError::EnvPadded { variable: variable.to_owned() })
        }
    }

    /// Reads a secret from a file, as secret stores mount them: the file's bytes, less one trailing line end.
    ///
    /// # Errors
    /// [`FileUnreadable`](BuildError::FileUnreadable) if the file cannot be read, [`FileEmpty`](BuildError::FileEmpty) if
    /// it is empty, and [`FilePadded`](BuildError::FilePadded) if it begins or ends with other white space.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        let path = path.as_ref();
        let bytes = read_file(path)?;
        if bytes.trim_ascii() == bytes.as_slice() {
            Ok(Self(bytes))
        } else {
            Err(BuildError::FilePadded { file: path.display().to_string() })
        }
    }

    #[cfg(all(feature = "public-key", feature = "serde"))]
    pub(crate) fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        read(&String::from_utf8_lossy(&self.0))
    }

    /// The bytes as they were given.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is nothing but spaces, tabs and line ends. Other white space can be a key: RFC 4231 has one of form feeds.
    pub(crate) fn is_blank(&self) -> bool {
        self.0.iter().all(|byte| b" \t\r\n".contains(byte))
    }

    /// The bytes of the key.
    pub(crate) fn key(&self, form: &SecretForm) -> Result<Zeroizing<Vec<u8>>, WrongForm> {
        let key = match form {
            SecretForm::Text => Some(self.0.to_vec()),
            SecretForm::Base64 { prefix } => {
                let text = self.0.strip_prefix(prefix.as_bytes()).unwrap_or(&self.0);
                let engine = if text.ends_with(b"=") { STANDARD } else { STANDARD_NO_PAD };
                engine.decode(text).ok()
            }
            SecretForm::Hex => base16ct::mixed::decode_vec(&*self.0).ok(),
        };
        key.map(Zeroizing::new).ok_or_else(|| WrongForm { expected: form.to_string().into() })
    }
}

impl fmt::Display for SecretForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Base64 { prefix } if prefix.is_empty() => f.write_str("base64"),
            Self::Base64 { prefix } => write!(f, "base64, with or without {prefix:?} before it"),
            Self::Hex => f.write_str("hex"),
        }
    }
}

/// Compares the keys of a set-up with one another, never a delivery's.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
