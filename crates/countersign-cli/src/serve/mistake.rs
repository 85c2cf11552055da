use std::fmt;

/// A mistake in the configuration, and the field that has it.
pub(crate) struct Mistake {
    pub(crate) field: String,
    text: String,
}

impl Mistake {
    pub(crate) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }

    /// With the path of the table that has the field.
    pub(crate) fn within(mut self, table: &str) -> Self {
        self.field = format!("{table}.{}", self.field);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text)
    }
}
