use std::{error::Error, fmt};

/// A mistake in the set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The pattern of [`NameFrom::path`](crate::NameFrom::path) is none.
    Path {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        mistake: String,
    },
    /// HTTP does not allow this name of a header.
    Header {
        /// The name as given.
        name: String,
    },
    /// A setting is outside its limits.
    Setting {
        /// The name of its method of the builder.
        setting: &'static str,
        /// What is wrong with it.
        mistake: &'static str,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { pattern, mistake } => {
                write!(f, "the path {pattern:?} is not a pattern such as \"/webhooks/{{tenant}}\": {mistake}")
            }
            Self::Header { name } => write!(f, "{name:?} is not a header's name"),
            Self::Setting { setting, mistake } => write!(f, "the setting `{setting}` {mistake}"),
        }
    }
}

impl Error for BuildError {}
