use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use countersign::{Config, ConfigError};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::{failure::Failure, read};

/// Limit on a configuration file, in bytes.
const LIMIT: u64 = 1 << 20;

/// A configuration file in TOML, whose mistakes are reported with file, line and field.
///
/// A report shows no value of the file, because a secret may have been written there by mistake.
pub(crate) struct TomlFile<T> {
    path: PathBuf,
    text: String,
    pub(crate) value: T,
}

impl<T: DeserializeOwned> TomlFile<T> {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |reason: &dyn fmt::Display| {
            Failure::new(format_args!("{}: cannot read the configuration: {reason}", path.display()))
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let text = read::at_most(file, LIMIT).map_err(|error| unreadable(&error))?;
        let text = String::from_utf8(text).map_err(|_| unreadable(&"it is not UTF-8"))?;
        let value = parse(&text).map_err(|mistake| mistake.report(path))?;
        Ok(Self { path: path.to_owned(), text, value })
    }
}

impl<T> TomlFile<T> {
    /// Reports a mistake that was found in the values.
    pub(crate) fn report(&self, error: &ConfigError) -> Failure {
        self.report_at(error.path(), error)
    }

    /// Reports a mistake in the field with this path. The message begins with the path, as that of a [`ConfigError`] does.
    pub(crate) fn report_at(&self, field: &str, message: &dyn fmt::Display) -> Failure {
        let line = line_of(&self.text, field);
        Mistake { line, message: message.to_string() }.report(&self.path)
    }
}

impl TomlFile<Config> {
    /// The result of one of the configuration's methods.
    pub(crate) fn checked<R>(&self, result: Result<R, ConfigError>) -> Result<R, Failure> {
        result.map_err(|error| self.report(&error))
    }
}

struct Mistake {
    line: Option<usize>,
    message: String,
}

impl Mistake {
    fn report(&self, path: &Path) -> Failure {
        let path = path.display();
        match self.line {
            Some(line) => Failure::new(format_args!("{path}:{line}: {}", self.message)),
            None => Failure::new(format_args!("{path}: {}", self.message)),
        }
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    let document = toml::Deserializer::parse(text).map_err(|error| Mistake {
        line: error.span().map(|span| line_at(text, span.start)),
        message: error.message().to_owned(),
    })?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let field = error.path().to_string();
        let span = error.inner().span().filter(|span| !span.is_empty());
        let line = span.map(|span| line_at(text, span.start)).or_else(|| line_of(text, &field));
        let message = match &*field {
            "." => error.inner().message().to_owned(),
            field => format!("{field}: {}", error.inner().message()),
        };
        Mistake { line, message }
    })
}

/// The line of a byte, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).split('\n').count()
}

/// The line of the field with this path, such as `senders[0].keys[1].secret`, or of the innermost field around it that exists.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut offset = None;
    let mut table = Some(document.get_ref());
    let mut array = None;
    for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty())
    {
        let found = match (table, array) {
            (Some(table), _) => table
                .iter()
                .find(|(name, _)| &**name.get_ref() == step)
                .map(|(name, value)| (name.span(), value)),
            (None, Some(array)) => {
                let array: &toml::de::DeArray<'_> = array;
                let place: Option<usize> = step.parse().ok();
                place.and_then(|place| array.get(place)).map(|value| (value.span(), value))
            }
            (None, None) => None,
        };
        let Some((span, value)) = found else { break };
        offset = Some(span.start);
        table = value.get_ref().as_table();
        array = match value.get_ref() {
            DeValue::Array(array) => Some(array),
            _ => None,
        };
    }
    offset.map(|offset| line_at(text, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
on_several = \"reject\"

[[senders]]
sender = \"github\"
keys = [
  { id = \"a\", secret = { env = \"A\" } },
  { id = \"b\", secret = { env = \"B\" } },
]

[[senders]]
sender = \"stripe\"
keys = []
";

    #[test]
    fn a_field_has_its_line() {
        for (path, line) in [
            ("on_several", 1),
            ("senders[0].sender", 4),
            ("senders[0].keys[1].secret.env", 7),
            ("senders[0].keys[1].nothing", 7),
            ("senders[1]", 10),
            ("senders[1].url", 10),
            ("senders[1].keys", 12),
        ] {
            assert_eq!(line_of(TEXT, path), Some(line), "{path}");
        }
        assert_eq!(line_of(TEXT, "nothing"), None);
        assert_eq!(line_of("[", "senders"), None);
    }
}
