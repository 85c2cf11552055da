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
    keys::{
        placeholder::is_placeholder,
        source::{read_env, read_file},
    },
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
pub struct Secret {
    text: Zeroizing<Vec<u8>>,
    accepts_placeholder: bool,
}

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
    /// hex. A secret that is empty, or nothing but blanks, line ends or zero bytes, is an error when the verifier is built, and
    /// so is a [placeholder](Self::dangerously_accept_placeholder). No minimum length is enforced; with the feature `tracing`, the
    /// verifier warns of a key of fewer than 16 bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self::from_bytes(Zeroizing::new(bytes.into()))
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
            Ok(Self::from_bytes(bytes))
        } else {
            Err(BuildError::FilePadded { file: path.display().to_string() })
        }
    }

    /// Accepts a secret that anyone can know, for a demo or a test.
    ///
    /// Without it, a verifier does not build with a placeholder, wherever it comes from:
    /// [`PlaceholderSecret`](BuildError::PlaceholderSecret). Placeholders are what documentation and `.env.example` files hold, such as
    /// `changeme`, `whsec_xxx`, `your-secret-here`, `test`, `<secret>` and `${SECRET}`, the same in base64 or hex if the scheme decodes
    /// it, and the demo secrets of this project and of senders' documentation. No random secret of 16 bytes or more is one.
    ///
    /// ```
    /// use countersign::{BuildError, Secret, Verifier, senders};
    ///
    /// let with = |secret| Verifier::builder(senders::github()).secret("2026-q4", secret).build();
    /// let refused = with(Secret::new("changeme")).unwrap_err();
    /// assert!(matches!(refused, BuildError::PlaceholderSecret { .. }));
    /// assert!(with(Secret::new("changeme").dangerously_accept_placeholder()).is_ok());
    /// ```
    #[must_use = "it returns the secret that is accepted"]
    pub fn dangerously_accept_placeholder(mut self) -> Self {
        self.accepts_placeholder = true;
        self
    }

    #[cfg(all(feature = "public-key", feature = "serde"))]
    pub(crate) fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        read(&String::from_utf8_lossy(&self.text))
    }

    /// The bytes as they were given.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Whether it is nothing but spaces, tabs and line ends. Other white space can be a key: RFC 4231 has one of form feeds.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.iter().all(|byte| b" \t\r\n".contains(byte))
    }

    /// Whether it is a placeholder, as text or as the key that the text stands for.
    pub(crate) fn is_placeholder(&self, form: &SecretForm) -> bool {
        let is_decoded = *form != SecretForm::Text;
        is_placeholder(&self.text) || is_decoded && self.key(form).is_ok_and(|key| is_placeholder(&key))
    }

    pub(crate) fn accepts_placeholder(&self) -> bool {
        self.accepts_placeholder
    }

    fn from_bytes(text: Zeroizing<Vec<u8>>) -> Self {
        Self { text, accepts_placeholder: false }
    }

    /// The bytes of the key.
    pub(crate) fn key(&self, form: &SecretForm) -> Result<Zeroizing<Vec<u8>>, WrongForm> {
        let key = match form {
            SecretForm::Text => Some(self.text.to_vec()),
            SecretForm::Base64 { prefix } => {
                let text = self.text.strip_prefix(prefix.as_bytes()).unwrap_or(&self.text);
                let engine = if text.ends_with(b"=") { STANDARD } else { STANDARD_NO_PAD };
                engine.decode(text).ok()
            }
            SecretForm::Hex => base16ct::mixed::decode_vec(&*self.text).ok(),
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

/// Compares the texts of a set-up's keys with one another, never with a delivery's.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text.ct_eq(&other.text).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
