use std::{error, fmt};

use crate::error::BuildError;

/// A mistake in a [`Config`](crate::Config), with the path of the field.
///
/// `Display` writes both: `senders[0].keys[1].secret: environment variable ACME_SECRET is not set: …`. It contains no key
/// material.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    path: String,
    mistake: Mistake,
}

#[derive(Clone, PartialEq, Eq)]
enum Mistake {
    Build(BuildError),
    Text(String),
}

impl ConfigError {
    /// The path of the field, such as `senders[0].keys[1].secret`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The underlying error, if a key or scheme did not build; `None` if a field itself is missing or malformed.
    pub fn build_error(&self) -> Option<&BuildError> {
        match &self.mistake {
            Mistake::Build(error) => Some(error),
            Mistake::Text(_) => None,
        }
    }

    pub(super) fn new(field: &str, text: impl Into<String>) -> Self {
        Self { path: field.to_owned(), mistake: Mistake::Text(text.into()) }
    }

    pub(super) fn build(field: &str, error: BuildError) -> Self {
        Self { path: field.to_owned(), mistake: Mistake::Build(error) }
    }

    /// Prepends an outer field to the path.
    pub(super) fn within(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.mistake {
            Mistake::Build(error) => error.fmt(f),
            Mistake::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for ConfigError {}

/// The meaning of a word, from the list of all allowed words.
pub(super) fn one_of<T: Clone>(field: &str, word: &str, words: &[(&str, T)]) -> Result<T, ConfigError> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        ConfigError::new(field, format!("unknown value {word:?}: use one of {}", known.join(", ")))
    })
}
