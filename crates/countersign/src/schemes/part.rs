//! One part of what a sender signs.

use std::{borrow::Cow, fmt};

/// One part of what a sender signs. Parts are signed in order, with nothing between them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A fixed text, such as `v0:` or a separator.
    Literal(Cow<'static, str>),
    /// The receiver's address as the sender has it on file, from your configuration: never from `Host` or a forwarding
    /// header, which the caller writes. Redacted in `Debug`, since it can contain a password.
    Url(Cow<'static, str>),
    /// The timestamp's text, exactly as it was received.
    Timestamp,
    /// The value of this header, such as a delivery's id; it must be sent exactly once. Do not sign a timestamp this way,
    /// but with [`Timestamp`](Self::Timestamp): without a tolerance a replay would pass for ever.
    Header(Cow<'static, str>),
    /// The request's method, such as `POST`.
    Method,
    /// The request's path as sent, without the query, which it does not cover.
    ///
    /// Anything that changes the path before the guard breaks the signature. axum's `nest` shortens it for inner layers:
    /// put the guard outside of `nest`, or enable the feature `axum`, with which the guard sees the original path.
    Path,
    /// The request's query as sent, without the `?`; it must be present.
    Query,
    /// The body, exactly as it was received.
    Body,
    /// Instead of the body, the fields of an `application/x-www-form-urlencoded` body: decoded, sorted by name and then
    /// by value, each name followed by its value, equal pairs once. The body is kept until it is complete.
    SortedForm,
}

impl Part {
    /// Exactly this text.
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Literal(text.into())
    }

    /// The value of this header, which must be sent exactly once.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Header(name.into())
    }

    pub(crate) fn is_body(&self) -> bool {
        matches!(self, Self::Body | Self::SortedForm)
    }
}

/// In words, for errors and logs.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => write!(f, "{text:?}"),
            Self::Url(_) => f.write_str("the configured URL"),
            Self::Timestamp => f.write_str("the timestamp"),
            Self::Header(name) => write!(f, "the header {name}"),
            Self::Method => f.write_str("the method"),
            Self::Path => f.write_str("the path"),
            Self::Query => f.write_str("the query"),
            Self::Body => f.write_str("the body"),
            Self::SortedForm => f.write_str("the form's sorted fields"),
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
