//! The signed content of a scheme, checked to be unambiguous.

use std::borrow::Cow;

use crate::{
    error::BuildError,
    schemes::{
        identity_source::{IdentitySource, LONGEST_RETRY_HORIZON},
        list::{Layout, SignatureList},
        part::Part,
        scheme::Scheme,
    },
    wire::{
        headers::header_name,
        timestamp::{Boundary, TimestampFormat, TimestampPlace},
    },
};

impl Scheme {
    /// The scheme as a verifier keeps it, its header names checked and in lower case, and its content.
    pub(crate) fn checked(mut self) -> Result<(Self, Content), BuildError> {
        if self.name.is_empty() {
            return Err(self.mistake("name", "it is empty: logs tell senders apart by it"));
        }
        let header = valid_header(&self.header)?;
        self.check_timestamp(&header)?;
        if let Some(TimestampPlace::Header(name)) =
            self.timestamp.as_mut().map(|timestamp| &mut timestamp.place)
        {
            *name = valid_header(name)?.into();
        }
        self.header = header.into();
        if let Layout::List(list) = &self.layout
            && let Some(mistake) = list.mistake()
        {
            return Err(self.mistake("list", mistake));
        }
        let content = Content::new(&self)?;
        self.check_identity(&content)?;
        Ok((self, content))
    }

    fn check_identity(&self, content: &Content) -> Result<(), BuildError> {
        if self.identity_scope.as_ref().is_some_and(|scope| scope.is_empty()) {
            return Err(self.mistake("identity_scope", "it is empty: leave it out to use the scheme's name"));
        }
        if self.retry_horizon > LONGEST_RETRY_HORIZON {
            return Err(self.mistake("retry_horizon", "it is more than 366 days"));
        }
        let mistake = match (&self.identity, &content.coverage) {
            (IdentitySource::Digest, _) => None,
            (IdentitySource::SignedHeader(name), _) => {
                let is_signed = content.headers().any(|signed| signed.eq_ignore_ascii_case(name));
                (!is_signed).then(|| {
                    format!("the content does not sign the header {name}, so any caller could choose its value: name a signed one")
                })
            }
            (IdentitySource::Fields(_), Coverage::Nothing) => {
                Some("a static token signs no field: use the digest".to_owned())
            }
            (IdentitySource::Fields(_), Coverage::SortedForm) => {
                Some("a form is not JSON: use the digest of its fields".to_owned())
            }
            (fields @ IdentitySource::Fields(_), Coverage::Bytes | Coverage::DigestInQuery(_)) => {
                fields.mistake()
            }
        };
        mistake.map_or(Ok(()), |mistake| Err(self.mistake("identity", mistake)))
    }

    fn check_timestamp(&self, signature_header: &str) -> Result<(), BuildError> {
        let Some(timestamp) = &self.timestamp else { return Ok(()) };
        if timestamp.tolerance.is_disguised() {
            return Err(self.mistake(
                "tolerance",
                "it is more than 31 days: use `dangerously_unlimited` to accept any timestamp",
            ));
        }
        let label = match &timestamp.place {
            TimestampPlace::Unsigned => {
                return Err(BuildError::ToleranceWithoutTimestamp { scheme: self.name.clone().into_owned() });
            }
            TimestampPlace::Header(name) if name.eq_ignore_ascii_case(signature_header) => {
                return Err(self.mistake(
                    "timestamp",
                    "it is in the signature's header: declare it as an item of the list",
                ));
            }
            TimestampPlace::Header(_) => return Ok(()),
            TimestampPlace::Listed(label) => label,
        };
        let mistake = match &self.layout {
            Layout::List(SignatureList { label: None, .. }) => {
                Some("it is an item of a list whose items have no labels".into())
            }
            Layout::List(list) if list.is_label(label) => Some("it has the label of the signatures".into()),
            Layout::List(list) => list.label_mistake(label).or_else(|| {
                let is_split = timestamp.format.can_contain(list.separator);
                is_split.then(|| "it can contain the separator of the list".into())
            }),
            Layout::Bare | Layout::Prefixed(_) => Some(
                "it is an item of a list, but the header contains only one signature: declare the list"
                    .into(),
            ),
        };
        mistake.map_or(Ok(()), |mistake: String| Err(self.mistake("timestamp", mistake)))
    }
}

fn valid_header(name: &str) -> Result<String, BuildError> {
    header_name(name).ok_or_else(|| BuildError::HeaderName { header: name.to_owned() })
}

/// How the signature covers the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Its bytes are signed.
    Bytes,
    /// The fields of its form are signed.
    SortedForm,
    /// The query is signed, and this parameter of it is the body's SHA-256 in hex.
    DigestInQuery(Cow<'static, str>),
    /// It does not: a static token.
    Nothing,
}

/// The signed content of a scheme. Whatever values a caller chooses, each signed byte belongs to exactly one part.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) before: Vec<Segment>,
    pub(crate) coverage: Coverage,
    pub(crate) after: Vec<Segment>,
}

/// A part, and what marks its end on the side of the body.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) part: Part,
    pub(crate) boundary: Boundary,
    /// Before the body, the boundary comes after the value; after the body, before it.
    pub(crate) is_before: bool,
}

impl Content {
    fn new(scheme: &Scheme) -> Result<Self, BuildError> {
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
                "the body's digest is in the query, which the content does not sign: add the query as a part"
                    .to_owned(),
            );
        }
        match (parts.iter().filter(|part| **part == Part::Timestamp).count(), &scheme.timestamp) {
            (0, None) | (1, Some(_)) => {}
            (0, Some(_)) => return mistake("it does not sign the timestamp: add it as a part".to_owned()),
            (_, None) => {
                let text = "the content signs one: declare where it is sent, its format and its tolerance";
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

    /// What marks the timestamp's end.
    pub(crate) fn timestamp_boundary(&self) -> &Boundary {
        let mut segments = self.before.iter().chain(&self.after);
        let segment = segments.find(|segment| segment.part == Part::Timestamp);
        segment.map_or(&Boundary::Form, |segment| &segment.boundary)
    }

    /// The names of the signed headers, other than the timestamp's.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.before.iter().chain(&self.after).filter_map(|segment| match &segment.part {
            Part::Header(name) => Some(&**name),
            _ => None,
        })
    }
}

/// The parts on one side of the body, outermost first, each with what marks its inner end.
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
            // A digit next to a timestamp could be part of it.
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
                return Err(scheme
                    .mistake("url", "it does not begin with https:// or http://, or is not visible ASCII"));
            }
            Part::Header(name) if header_name(name).is_none() => {
                return mistake(format!("{name:?} is not a valid header name"));
            }
            Part::Header(name) if name.eq_ignore_ascii_case(&scheme.header) => {
                return mistake("it signs the signature header itself".to_owned());
            }
            Part::Path if boundary == Boundary::Separator("/".to_owned()) => {
                return mistake("every path contains \"/\": separate it by another literal".to_owned());
            }
            Part::Header(_) | Part::Method | Part::Path | Part::Query if boundary == Boundary::Form => {
                let side = if is_before { "after" } else { "before" };
                return mistake(format!("nothing marks where {part} ends: put a literal {side} it"));
            }
            Part::Timestamp
                if (boundary == Boundary::Form || !is_before)
                    && scheme
                        .timestamp
                        .as_ref()
                        .is_some_and(|timestamp| timestamp.format == TimestampFormat::Any) =>
            {
                return mistake(
                    "nothing marks where a timestamp of any format ends: put it before the body, with a literal after it".to_owned(),
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

/// Whether it is an absolute address in visible ASCII.
fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

impl Segment {
    /// Whether the value ends where its separator first occurs, so that none of its bytes can belong to the next part.
    pub(crate) fn is_delimited(&self, value: &str) -> bool {
        match &self.boundary {
            Boundary::Separator(separator) if separator.is_empty() => true,
            // A single byte cannot lie across the value's end.
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
