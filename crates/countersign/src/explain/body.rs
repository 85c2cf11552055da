//! What the sender may have signed, made from the body that arrived.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::explain::{
    hypothesis::Hypothesis,
    json::{Escapes, Json, Layout, Style},
};

/// Limit on a body that is changed, in bytes.
const LARGEST: usize = 1 << 20;

/// Limit on a body that is written anew as JSON, in bytes.
const LARGEST_JSON: usize = 256 << 10;

/// Makes what may have been signed from what arrived; `None` if the change does not apply.
type Change = fn(&[u8]) -> Option<Vec<u8>>;

const BOM: &[u8] = b"\xef\xbb\xbf";

const CHANGES: &[(Hypothesis, Change)] = &[
    (Hypothesis::BodyLacksLineEnd, |body| Some([body, b"\n"].concat())),
    (Hypothesis::BodyLacksLineEnd, |body| Some([body, b"\r\n"].concat())),
    (Hypothesis::BodyPadded, |body| body.strip_suffix(b"\n").map(<[u8]>::to_vec)),
    (Hypothesis::BodyPadded, |body| Some(body.trim_ascii().to_vec())),
    (Hypothesis::BodyHasCrlf, |body| Some(replace(body, b"\r\n", b"\n"))),
    (Hypothesis::BodyLacksCrlf, |body| Some(replace(&replace(body, b"\r\n", b"\n"), b"\n", b"\r\n"))),
    (Hypothesis::BodyHasBom, |body| body.strip_prefix(BOM).map(<[u8]>::to_vec)),
    (Hypothesis::BodyLacksBom, |body| Some([BOM, body].concat())),
    (Hypothesis::BodyWasLatin1, |body| {
        str::from_utf8(body).ok()?.chars().map(|char| u8::try_from(char).ok()).collect()
    }),
    (Hypothesis::BodyWasUtf8, |body| {
        Some(body.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes())
    }),
    (Hypothesis::BodyCompressed, |body| {
        let mut plain = Vec::new();
        let limit = u64::try_from(LARGEST).ok()?;
        MultiGzDecoder::new(body).take(limit).read_to_end(&mut plain).ok()?;
        Some(plain)
    }),
    (Hypothesis::BodyQuoted, |body| serde_json::from_slice::<String>(body).ok().map(String::into_bytes)),
    (Hypothesis::BodyNotSigned, |_| Some(Vec::new())),
];

const LAYOUTS: &[(Layout, Hypothesis)] = &[
    (Layout::Minified, Hypothesis::BodyMinified),
    (Layout::Spaced, Hypothesis::BodySpaced),
    (Layout::Indented("  "), Hypothesis::BodyIndented),
    (Layout::Indented("    "), Hypothesis::BodyIndented),
    (Layout::Indented("\t"), Hypothesis::BodyIndented),
];

const ESCAPES: &[(Escapes, &[Hypothesis])] = &[
    (Escapes::Kept, &[]),
    (Escapes::None, &[Hypothesis::BodyUnescaped]),
    (Escapes::Unicode, &[Hypothesis::BodyUnicodeEscaped]),
    (Escapes::Slashes, &[Hypothesis::BodySlashesEscaped]),
    (Escapes::UnicodeAndSlashes, &[Hypothesis::BodyUnicodeEscaped, Hypothesis::BodySlashesEscaped]),
    (Escapes::Html, &[Hypothesis::BodyHtmlEscaped]),
];

/// A body that may have been signed, and the mistakes that made another of it.
pub(crate) struct Candidate {
    pub(crate) mistakes: Vec<Hypothesis>,
    pub(crate) body: Vec<u8>,
}

/// The likeliest first; none is the body that arrived, and no two are equal.
pub(crate) fn candidates(body: &[u8]) -> Vec<Candidate> {
    let mut found = Vec::new();
    if body.len() > LARGEST {
        return found;
    }
    for (mistake, change) in CHANGES {
        if let Some(changed) = change(body) {
            push(&mut found, body, vec![*mistake], changed);
        }
    }
    if body.len() <= LARGEST_JSON {
        rewritten(body, &mut found);
    }
    found
}

fn rewritten(body: &[u8], found: &mut Vec<Candidate>) {
    let plain = body.strip_prefix(BOM).unwrap_or(body);
    let Some(json) = Json::read(plain) else { return };
    let kept = |layout| json.write(Style { layout, escapes: Escapes::Kept, sorted: false });
    let arrived_in =
        LAYOUTS.iter().map(|(layout, _)| *layout).find(|&layout| kept(layout).as_deref() == Some(body));
    let mut rewritten = Vec::new();
    for sorted in [false, true] {
        for (escapes, escaped) in ESCAPES {
            for (layout, laid_out) in LAYOUTS {
                let Some(changed) = json.write(Style { layout: *layout, escapes: *escapes, sorted }) else {
                    continue;
                };
                let layout = (arrived_in != Some(*layout)).then_some(*laid_out);
                let order = sorted.then_some(Hypothesis::BodyKeysSorted);
                let mistakes = layout.into_iter().chain(order).chain(escaped.iter().copied()).collect();
                push(&mut rewritten, body, mistakes, changed);
            }
        }
    }
    // Stable, so that the simplest of several explanations comes first.
    rewritten.sort_by_key(|candidate: &Candidate| candidate.mistakes.len());
    let ended: Vec<_> = rewritten
        .iter()
        .filter(|candidate| candidate.mistakes.len() == 1)
        .map(|candidate| {
            let mistakes = candidate.mistakes.iter().copied().chain([Hypothesis::BodyLacksLineEnd]).collect();
            Candidate { mistakes, body: [candidate.body.as_slice(), b"\n"].concat() }
        })
        .collect();
    for candidate in rewritten.into_iter().chain(ended) {
        push(found, body, candidate.mistakes, candidate.body);
    }
}

fn push(found: &mut Vec<Candidate>, arrived: &[u8], mistakes: Vec<Hypothesis>, body: Vec<u8>) {
    if body != arrived && found.iter().all(|other| other.body != body) {
        found.push(Candidate { mistakes, body });
    }
}

fn replace(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(after) => {
                replaced.extend_from_slice(to);
                rest = after;
            }
            None => {
                replaced.push(*first);
                rest = after;
            }
        }
    }
    replaced
}
