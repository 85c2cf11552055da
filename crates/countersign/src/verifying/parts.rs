//! Reads from a request's head what a scheme signs besides the body.

use std::str;

use crate::{
    schemes::{
        content::{Content, Segment},
        part::Part,
    },
    verdicts::{
        kind::RejectionKind,
        rejection::{Detail, Fault},
        signed_parts::SignedParts,
    },
    wire::headers::{Headers, Occurrence, occurrence},
};

/// Limit on a signed header's value, in bytes: far more than an id needs.
const LONGEST_SIGNED_HEADER: usize = 1024;

/// What this delivery signs besides the body; `None` if it signs the body alone.
pub(crate) fn read(
    content: &Content,
    head: &(impl Headers + ?Sized),
    timestamp: &str,
) -> Result<Option<SignedParts>, Fault> {
    if content.before.is_empty() && content.after.is_empty() {
        return Ok(None);
    }
    let mut parts = SignedParts::default();
    for segment in content.before.iter().chain(&content.after) {
        let value = value(segment, head, timestamp)?;
        let is_header = matches!(segment.part, Part::Header(_));
        if segment.is_before {
            parts.push_before(value, is_header);
        } else {
            parts.push_after(value, is_header);
        }
    }
    Ok(Some(parts))
}

fn value<'h>(
    segment: &'h Segment,
    head: &'h (impl Headers + ?Sized),
    timestamp: &'h str,
) -> Result<&'h str, Fault> {
    let fault = |kind| Fault::new(kind, Detail::Part(segment.part.to_string()));
    let missing = || fault(RejectionKind::PartMissing);
    let target = || {
        let target = head.target()?;
        Some(target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query))))
    };
    let value = match &segment.part {
        Part::Literal(text) | Part::Url(text) => return Ok(text),
        // Its form was checked when it was read.
        Part::Timestamp => return Ok(timestamp),
        Part::Header(name) => signed_header(head, name)?,
        Part::Method => head.method().ok_or_else(missing)?,
        Part::Path => target().ok_or_else(missing)?.0,
        Part::Query => target().and_then(|(_, query)| query).ok_or_else(missing)?,
        // The body stands between the segments.
        Part::Body | Part::SortedForm => "",
    };
    if segment.is_delimited(value) { Ok(value) } else { Err(fault(RejectionKind::PartAmbiguous)) }
}

/// The value of a signed header, which must be sent once, not empty, and visible ASCII.
fn signed_header<'h>(head: &'h (impl Headers + ?Sized), name: &str) -> Result<&'h str, Fault> {
    let fault = |kind| Fault::new(kind, Detail::Part(name.to_owned()));
    let value = match occurrence(head, name) {
        Occurrence::Never => return Err(fault(RejectionKind::SignedHeaderMissing)),
        Occurrence::Repeated => return Err(fault(RejectionKind::SignedHeaderRepeated)),
        Occurrence::Once(value) => value.trim_ascii(),
    };
    let is_visible = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    match str::from_utf8(value) {
        Ok(text)
            if !text.is_empty() && text.len() <= LONGEST_SIGNED_HEADER && value.iter().all(is_visible) =>
        {
            Ok(text)
        }
        Ok(_) | Err(_) => Err(fault(RejectionKind::SignedHeaderMalformed)),
    }
}
