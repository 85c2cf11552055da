//! One mistake in a delivery.

use std::fmt;

use crate::explain::hypothesis::Hypothesis;

/// A [`Hypothesis`] that explains a delivery, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    hypothesis: Hypothesis,
    about: Option<String>,
}

impl Cause {
    /// `about` is the name of a sender, key or algorithm: never a secret, and never bytes that the caller sent.
    pub(crate) fn new(hypothesis: Hypothesis, about: impl Into<String>) -> Self {
        Self { hypothesis, about: Some(about.into()) }
    }

    /// The mistake.
    pub fn hypothesis(&self) -> Hypothesis {
        self.hypothesis
    }

    /// The sender or key that the mistake is about, by its name.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }
}

impl From<Hypothesis> for Cause {
    fn from(hypothesis: Hypothesis) -> Self {
        Self { hypothesis, about: None }
    }
}

/// The name, what it is about, and what to do, on one line.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hypothesis.as_str())?;
        if let Some(about) = &self.about {
            write!(f, " ({about})")?;
        }
        write!(f, ": {}", self.hypothesis)
    }
}
