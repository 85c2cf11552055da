use std::{borrow::Cow, fmt, ops::Range};

use smallvec::SmallVec;

use super::{Scheme, header_name};
use crate::{
    error::BuildError,
    headers::{Headers, Occurrence, occurrence},
    rejection::{Detail, Fault, RejectionKind},
    timestamp::{Boundary, TimestampFormat},
};

/// One part of what a sender signs. Parts are signed one after the other, with nothing between them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// This text: `v0:`, say, or a separator.
    Literal(Cow<'static, str>),
    /// The receiver's address as the sender has it on file, from your configuration: never from `Host` or a
    /// forwarding header, which the caller writes. Redacted in `Debug`, since it may hold a password.
    Url(Cow<'static, str>),
    /// The timestamp's text, exactly as it was received.
    Timestamp,
    /// The value of this header, which must be there exactly once: a delivery's id, say. A timestamp is
    /// [`Timestamp`](Self::Timestamp): signed as a header, it would have no tolerance and a replay would pass for ever.
    Header(Cow<'static, str>),
    /// The request's method: `POST`.
    Method,
    /// The request's path as it came, without the query, which is not covered by it.
    ///
    /// Whatever changes the path before the guard breaks the signature. axum's `nest` cuts it for the layers inside: the
    /// guard goes outside of it, or has the feature `axum`, with which it sees the path as it came.
    Path,
    /// The request's query as it came, without the `?`; it must be there.
    Query,
    /// The body, exactly as it was received.
    Body,
    /// In the place of the body, the fields of an `application/x-www-form-urlencoded` body: decoded, sorted by name and
    /// then by value, each name followed by its value, equal pairs once. It is kept until it is whole.
    SortedForm,
}

impl Part {
    /// This text, exactly.
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Literal(text.into())
    }

    /// The value of this header, which must be there exactly once.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Header(name.into())
    }

    fn is_body(&self) -> bool {
        matches!(self, Self::Body | Self::SortedForm)
    }
}

/// In words, for the people who read errors and logs.
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

/// How the signature covers the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Its bytes are signed.
    Bytes,
    /// Its form's fields are.
    SortedForm,
    /// Its SHA-256, in hex, is the value of this parameter of the query, which is signed.
    DigestInQuery(Cow<'static, str>),
    /// Not at all: a static token.
    Nothing,
}

/// The signed content, checked: every byte of it belongs to one part, however a caller chooses the values.
#[derive(Debug)]
pub(crate) struct Content {
    before: Vec<Segment>,
    pub(crate) coverage: Coverage,
    after: Vec<Segment>,
}

/// A part and how its end towards the body is told, where the request supplies it.
#[derive(Debug)]
struct Segment {
    part: Part,
    boundary: Boundary,
    /// On this side of the body, the boundary comes after the value; on the other side, before it.
    is_before: bool,
}

/// What is signed of one delivery beside its body.
#[derive(Default)]
pub(crate) struct Values {
    /// What comes before the body and then what comes after it. That of nearly all senders has room here.
    text: SmallVec<[u8; 96]>,
    body_at: usize,
    /// Where the values of the headers lie in it.
    headers: SmallVec<[Range<usize>; 1]>,
}

impl Values {
    /// What is signed before the body and what after it.
    pub(crate) fn around_the_body(&self) -> (&[u8], &[u8]) {
        self.text.split_at_checked(self.body_at).unwrap_or_default()
    }

    /// The values of the headers among it, in their order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        let text =
            |range: &Range<usize>| self.text.get(range.clone()).and_then(|text| str::from_utf8(text).ok());
        self.headers.iter().map(move |range| text(range).unwrap_or_default())
    }
}

impl Content {
    pub(crate) fn new(scheme: &Scheme) -> Result<Self, BuildError> {
        let mistake = |mistake: String| Err(scheme.mistake("content", mistake));
        let parts = &scheme.content;
        let bodies = parts.iter().filter(|part| part.is_body()).count();
        let digests = usize::from(scheme.body_digest.is_some());
        let token = !scheme.algorithm.signs();
        match bodies.saturating_add(digests) {
            0 if !token => return mistake("it does not sign the body: add it as a part".to_owned()),
            0 if !parts.is_empty() => return mistake("a static token signs nothing: remove it".to_owned()),
            0 | 1 if !(token && digests > 0) => {}
            _ if token => return mistake("a static token signs nothing: remove it".to_owned()),
            _ => return mistake("it signs the body more than once: keep one part of it".to_owned()),
        }
        if digests > 0 && !parts.contains(&Part::Query) {
            return mistake(
                "the body's digest is in the query, which is not signed: add the query as a part".to_owned(),
            );
        }
        match (parts.iter().filter(|part| **part == Part::Timestamp).count(), &scheme.timestamp) {
            (0, None) | (1, Some(_)) => {}
            (0, Some(_)) => return mistake("it does not sign the timestamp: add it as a part".to_owned()),
            (_, None) => {
                let text =
                    "it signs a timestamp: say where it is sent, how it is written and how old it may be";
                return Err(scheme.mistake("timestamp", text));
            }
            (_, Some(_)) => {
                return mistake("it signs the timestamp more than once: keep one part of it".to_owned());
            }
        }
        let at = parts.iter().position(Part::is_body).unwrap_or(parts.len());
        let (before, rest) = parts.split_at(at);
        let after = rest.get(1..).unwrap_or_default();
        let coverage = match (rest.first(), &scheme.body_digest) {
            (Some(Part::SortedForm), _) => Coverage::SortedForm,
            (Some(_), _) => Coverage::Bytes,
            (None, Some(parameter)) => Coverage::DigestInQuery(parameter.clone()),
            (None, None) => Coverage::Nothing,
        };
        let ends = rest.is_empty();
        let before = segments(scheme, before.iter(), ends, true)?;
        let mut after = segments(scheme, after.iter().rev(), false, false)?;
        after.reverse();
        Ok(Self { before, coverage, after })
    }

    /// How the timestamp's end is told.
    pub(crate) fn timestamp_boundary(&self) -> &Boundary {
        let mut segments = self.before.iter().chain(&self.after);
        let segment = segments.find(|segment| segment.part == Part::Timestamp);
        segment.map_or(&Boundary::Form, |segment| &segment.boundary)
    }

    /// What this delivery has for the parts; `None` where the body alone is signed.
    pub(crate) fn values(
        &self,
        head: &(impl Headers + ?Sized),
        timestamp: &str,
    ) -> Result<Option<Values>, Fault> {
        if self.before.is_empty() && self.after.is_empty() {
            return Ok(None);
        }
        let mut values = Values::default();
        for segment in self.before.iter().chain(&self.after) {
            let text = segment.value(head, timestamp)?;
            let start = values.text.len();
            values.text.extend_from_slice(text.as_bytes());
            if matches!(segment.part, Part::Header(_)) {
                values.headers.push(start..values.text.len());
            }
            if segment.is_before {
                values.body_at = values.text.len();
            }
        }
        Ok(Some(values))
    }

    /// The names of the headers that are signed beside the timestamp's and the signature's own.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.before.iter().chain(&self.after).filter_map(|segment| match &segment.part {
            Part::Header(name) => Some(&**name),
            _ => None,
        })
    }
}

/// The parts on one side of the body, outermost first, each with what tells its inner end.
fn segments<'p>(
    scheme: &Scheme,
    parts: impl Iterator<Item = &'p Part>,
    last_needs_no_end: bool,
    is_before: bool,
) -> Result<Vec<Segment>, BuildError> {
    let mut parts = parts.peekable();
    let mut segments = Vec::new();
    while let Some(part) = parts.next() {
        let boundary = match parts.peek() {
            // A digit beside a timestamp could be one of its own.
            Some(Part::Literal(text))
                if *part == Part::Timestamp && text.contains(|char: char| char.is_ascii_digit()) =>
            {
                Boundary::Form
            }
            Some(Part::Literal(text) | Part::Url(text)) if !text.is_empty() => {
                Boundary::Separator(text.to_string())
            }
            None if last_needs_no_end => Boundary::Separator(String::new()),
            Some(_) | None => Boundary::Form,
        };
        let mistake = |mistake: String| Err(scheme.mistake("content", mistake));
        match part {
            Part::Url(url) if !is_url(url) => {
                return Err(
                    scheme.mistake("url", "it is not an address that begins with https:// or http://")
                );
            }
            Part::Header(name) if header_name(name).is_none() => {
                return mistake(format!("{name:?} is not the name of a header"));
            }
            Part::Header(name) if name.eq_ignore_ascii_case(&scheme.header) => {
                return mistake("it signs the header of the signature itself".to_owned());
            }
            Part::Path if boundary == Boundary::Separator("/".to_owned()) => {
                return mistake("every path holds \"/\" itself: separate it by another literal".to_owned());
            }
            Part::Header(_) | Part::Method | Part::Path | Part::Query if boundary == Boundary::Form => {
                let side = if is_before { "after" } else { "before" };
                return mistake(format!("nothing tells where {part} ends: put a literal {side} it"));
            }
            Part::Timestamp
                if (boundary == Boundary::Form || !is_before)
                    && scheme
                        .timestamp
                        .as_ref()
                        .is_some_and(|timestamp| timestamp.format == TimestampFormat::Any) =>
            {
                return mistake(
                    "nothing tells where a timestamp of any format ends: put it before the body, and a literal after it".to_owned(),
                );
            }
            _ => {}
        }
        let part = match part {
            Part::Header(name) => Part::Header(name.to_ascii_lowercase().into()),
            other => other.clone(),
        };
        segments.push(Segment { part, boundary, is_before });
    }
    Ok(segments)
}

/// An absolute address of visible ASCII characters, as it can stand in a request.
fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

impl Segment {
    fn value<'h>(&'h self, head: &'h (impl Headers + ?Sized), timestamp: &'h str) -> Result<&'h str, Fault> {
        let fault = |kind| Fault { kind, detail: Detail::Part(self.part.to_string()) };
        let missing = || fault(RejectionKind::PartMissing);

        let target = || {
            head.target().map(|target| {
                target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
            })
        };
        let value = match &self.part {
            Part::Literal(text) | Part::Url(text) => return Ok(text),
            // Its own form was checked when it was read.
            Part::Timestamp => return Ok(timestamp),
            Part::Header(name) => signed_header(head, name)?,
            Part::Method => head.method().ok_or_else(missing)?,
            Part::Path => target().ok_or_else(missing)?.0,
            Part::Query => target().and_then(|(_, query)| query).ok_or_else(missing)?,
            // They stand between the segments.
            Part::Body | Part::SortedForm => "",
        };
        if self.is_delimited(value) { Ok(value) } else { Err(fault(RejectionKind::PartAmbiguous)) }
    }

    /// Whether the value ends where its separator is first found: no byte of it could belong to what comes beside it.
    fn is_delimited(&self, value: &str) -> bool {
        match &self.boundary {
            Boundary::Separator(separator) if separator.is_empty() => true,
            // One byte cannot overlap what it separates.
            Boundary::Separator(separator) if separator.len() == 1 => !value.contains(separator.as_str()),
            Boundary::Separator(separator) if self.is_before => {
                format!("{value}{separator}").find(separator.as_str()) == Some(value.len())
            }
            Boundary::Separator(separator) => {
                format!("{separator}{value}").rfind(separator.as_str()) == Some(0)
            }
            Boundary::Form => false,
        }
    }
}

/// The value of a header that is signed: once, not empty, and visible ASCII.
fn signed_header<'h>(head: &'h (impl Headers + ?Sized), name: &str) -> Result<&'h str, Fault> {
    let fault = |kind| Fault { kind, detail: Detail::Part(name.to_owned()) };
    let value = match occurrence(head, name) {
        Occurrence::Never => return Err(fault(RejectionKind::SignedHeaderMissing)),
        Occurrence::Repeated => return Err(fault(RejectionKind::SignedHeaderRepeated)),
        Occurrence::Once(value) => value.trim_ascii(),
    };
    let visible = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    match str::from_utf8(value) {
        Ok(text) if !text.is_empty() && text.len() <= LONGEST_SIGNED_HEADER && value.iter().all(visible) => {
            Ok(text)
        }
        Ok(_) | Err(_) => Err(fault(RejectionKind::SignedHeaderMalformed)),
    }
}

/// In bytes: far more than an id needs.
const LONGEST_SIGNED_HEADER: usize = 1024;
