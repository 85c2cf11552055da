//! The scheme under which the sender may have signed, made from the one that is configured.

use std::borrow::Cow;

use crate::{
    explain::{address, cause::Cause, hypothesis::Hypothesis},
    keys::algorithm::Algorithm,
    schemes::{list::Layout, part::Part, scheme::Scheme, senders},
    wire::{
        encoding::{Encoding, Padding},
        headers::{Headers, Occurrence, occurrence},
        timestamp::{TimestampFormat, TimestampPlace},
    },
};

/// A scheme or target that may have been signed, and the mistakes that made another of it.
pub(crate) struct Candidate {
    pub(crate) causes: Vec<Cause>,
    pub(crate) scheme: Scheme,
    pub(crate) target: Option<String>,
}

const ENCODINGS: &[(Hypothesis, Encoding)] = &[
    (Hypothesis::SignatureInHex, Encoding::Hex),
    (Hypothesis::SignatureInBase64, Encoding::Base64(Padding::Optional)),
    (Hypothesis::SignatureInBase64Url, Encoding::Base64Url(Padding::Optional)),
];

const FORMATS: &[(Hypothesis, TimestampFormat)] = &[
    (Hypothesis::TimestampInSeconds, TimestampFormat::Seconds),
    (Hypothesis::TimestampInMilliseconds, TimestampFormat::Milliseconds),
    (Hypothesis::TimestampInRfc3339, TimestampFormat::Rfc3339),
];

const ALGORITHMS: &[Algorithm] =
    &[Algorithm::HmacSha256, Algorithm::LegacyHmacSha1, Algorithm::HmacSha512, Algorithm::HmacSha384];

const PREFIXES: &[&str] = &["sha256=", "sha1=", "sha512=", "v1=", "v0=", "hmac-sha256=", "hmac ", "v1,"];

/// The likeliest first.
pub(crate) fn candidates(scheme: &Scheme, head: &dyn Headers) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut push = |mistakes: &[Hypothesis], scheme: Scheme| {
        let causes = mistakes.iter().copied().map(Cause::from).collect();
        found.push(Candidate { causes, scheme, target: None });
    };
    for shaped in shapes(scheme) {
        let (mistakes, shaped) = shaped;
        if !mistakes.is_empty() {
            push(&mistakes, shaped.clone());
        }
        for (mistake, encoding) in
            ENCODINGS.iter().filter(|(_, encoding)| !is_same(*encoding, scheme.encoding))
        {
            push(&[&mistakes[..], &[*mistake]].concat(), Scheme { encoding: *encoding, ..shaped.clone() });
        }
    }
    contents(scheme, &mut push);
    for format in formats(scheme) {
        push(&[format.0], format.1);
    }
    if ALGORITHMS.contains(&scheme.algorithm) {
        for algorithm in ALGORITHMS.iter().filter(|algorithm| **algorithm != scheme.algorithm) {
            push(&[Hypothesis::AnotherAlgorithm], Scheme { algorithm: *algorithm, ..scheme.clone() });
        }
    }
    let configured = scheme.content.iter().find_map(|part| match part {
        Part::Url(url) => Some(&**url),
        _ => None,
    });
    for (mistakes, url) in configured.map(|url| address::urls(url, head)).unwrap_or_default() {
        let part = |part: &Part| {
            if matches!(part, Part::Url(_)) { Part::Url(Cow::Owned(url.clone())) } else { part.clone() }
        };
        push(&mistakes, Scheme { content: scheme.content.iter().map(part).collect(), ..scheme.clone() });
    }
    if scheme.content.iter().any(|part| matches!(part, Part::Path | Part::Query)) {
        found.extend(address::targets(head).into_iter().map(|target| Candidate {
            causes: vec![Hypothesis::TargetChanged.into()],
            scheme: scheme.clone(),
            target: Some(target),
        }));
    }
    found.extend(others(scheme, configured, head).map(|other| Candidate {
        causes: vec![Cause::new(Hypothesis::AnotherSender, other.name())],
        scheme: other,
        target: None,
    }));
    found
}

/// The scheme with the timestamp in other formats.
pub(crate) fn formats(scheme: &Scheme) -> Vec<(Hypothesis, Scheme)> {
    let Some(timestamp) = &scheme.timestamp else { return Vec::new() };
    let others = FORMATS.iter().filter(|(_, format)| *format != timestamp.format);
    let other = |(mistake, format): &(Hypothesis, TimestampFormat)| {
        let mut scheme = scheme.clone();
        scheme.timestamp.as_mut()?.format = *format;
        Some((*mistake, scheme))
    };
    others.filter_map(other).collect()
}

/// The other named senders whose signature header is in this head.
pub(crate) fn others(scheme: &Scheme, url: Option<&str>, head: &dyn Headers) -> impl Iterator<Item = Scheme> {
    let named = move |name| senders::named(name, None).or_else(|_| senders::named(name, url)).ok();
    let others = senders::names().filter(|name| *name != scheme.name()).filter_map(named);
    others.filter(move |other| {
        !matches!(occurrence(head, &other.header_name().to_ascii_lowercase()), Occurrence::Never)
    })
}

/// The scheme with its prefix missing, or with one that it lacks, and as it is.
fn shapes(scheme: &Scheme) -> Vec<(Vec<Hypothesis>, Scheme)> {
    let mut found = vec![(Vec::new(), scheme.clone())];
    let is_listed =
        |timestamp: &crate::wire::timestamp::Timestamp| matches!(timestamp.place, TimestampPlace::Listed(_));
    if scheme.timestamp.as_ref().is_some_and(is_listed) {
        return found;
    }
    if !matches!(scheme.layout, Layout::Bare) {
        found.push((
            vec![Hypothesis::SignatureLacksPrefix],
            Scheme { layout: Layout::Bare, ..scheme.clone() },
        ));
    }
    for prefix in PREFIXES {
        let layout = Layout::Prefixed(Cow::Borrowed(prefix));
        found.push((vec![Hypothesis::SignaturePrefixed], Scheme { layout, ..scheme.clone() }));
    }
    found
}

/// The scheme with other signed content.
fn contents(scheme: &Scheme, push: &mut dyn FnMut(&[Hypothesis], Scheme)) {
    if scheme.signs_the_body_alone() {
        return;
    }
    let only_body =
        Scheme { content: vec![Part::Body], timestamp: None, body_digest: None, ..scheme.clone() };
    for (mistake, encoding) in ENCODINGS.iter().filter(|(_, encoding)| !is_same(*encoding, scheme.encoding)) {
        push(&[Hypothesis::OnlyBodySigned, *mistake], Scheme { encoding: *encoding, ..only_body.clone() });
    }
    push(&[Hypothesis::OnlyBodySigned], only_body);
    let is_literal = |part: &Part| matches!(part, Part::Literal(_));
    if scheme.content.iter().any(is_literal) {
        let content = scheme.content.iter().filter(|part| !is_literal(part)).cloned().collect();
        push(&[Hypothesis::PartsNotSeparated], Scheme { content, ..scheme.clone() });
    }
}

fn is_same(one: Encoding, other: Encoding) -> bool {
    use Encoding::{Base64, Base64Url, Hex, HexUpper};
    matches!(
        (one, other),
        (Hex | HexUpper, Hex | HexUpper) | (Base64(_), Base64(_)) | (Base64Url(_), Base64Url(_))
    )
}
