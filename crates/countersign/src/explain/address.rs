//! The address that the sender may have signed: the URL of the configuration, or the target of the request.

use crate::{
    explain::hypothesis::Hypothesis,
    wire::headers::{Headers, Occurrence, occurrence},
};

/// Headers in which proxies pass on the host that the sender called.
const HOSTS: &[&str] = &["x-forwarded-host", "x-original-host", "host"];

/// Headers in which proxies pass on the target that the sender called.
const TARGETS: &[&str] =
    &["x-forwarded-uri", "x-original-uri", "x-original-url", "x-envoy-original-path", "x-rewrite-url"];

/// The URLs that may have been signed instead of this one.
pub(crate) fn urls(url: &str, head: &dyn Headers) -> Vec<(Vec<Hypothesis>, String)> {
    let Some((scheme, rest)) = url.split_once("://") else { return Vec::new() };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let other = if scheme == "https" { "http" } else { "https" };
    let mut found = vec![(vec![Hypothesis::UrlScheme], format!("{other}://{rest}"))];
    let mut push = |mistake, url: String| {
        let with_other = url.split_once("://").map(|(_, rest)| format!("{other}://{rest}"));
        found.push((vec![mistake], url));
        found.extend(with_other.map(|url| (vec![mistake, Hypothesis::UrlScheme], url)));
    };
    for name in HOSTS {
        if let Some(host) = text(head, name) {
            push(Hypothesis::UrlHost, format!("{scheme}://{host}{path}"));
        }
    }
    match host.rsplit_once(':') {
        Some((bare, _)) => push(Hypothesis::UrlPort, format!("{scheme}://{bare}{path}")),
        None => {
            for port in ["443", "80", "8080", "8443", "3000"] {
                push(Hypothesis::UrlPort, format!("{scheme}://{host}:{port}{path}"));
            }
        }
    }
    let (bare, query) = path.split_once('?').map_or((path, None), |(bare, query)| (bare, Some(query)));
    let slashed = bare.strip_suffix('/').map_or_else(|| format!("{bare}/"), str::to_owned);
    push(
        Hypothesis::UrlPath,
        format!("{scheme}://{host}{slashed}{}", query.map(|query| format!("?{query}")).unwrap_or_default()),
    );
    if query.is_some() {
        push(Hypothesis::UrlPath, format!("{scheme}://{host}{bare}"));
    }
    let called = head
        .target()
        .map(str::to_owned)
        .into_iter()
        .chain(TARGETS.iter().filter_map(|name| text(head, name)));
    for target in called.filter(|target| target.starts_with('/')) {
        push(Hypothesis::UrlPath, format!("{scheme}://{host}{target}"));
        if let Some(query) = target.split_once('?').map(|(_, query)| query) {
            push(Hypothesis::UrlPath, format!("{scheme}://{host}{bare}?{query}"));
        }
    }
    found
}

/// The targets that may have been signed instead of the one that arrived.
pub(crate) fn targets(head: &dyn Headers) -> Vec<String> {
    let Some(arrived) = head.target() else { return Vec::new() };
    let (path, query) = arrived.split_once('?').map_or((arrived, None), |(path, query)| (path, Some(query)));
    let with_query = |path: &str| query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let slashed = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok();
    let mut found = vec![with_query(&slashed), with_query(&path.replace("//", "/"))];
    found.extend(decoded.map(|path| with_query(&path)));
    found.extend(
        text(head, "x-forwarded-prefix")
            .map(|prefix| with_query(&format!("{}{path}", prefix.trim_end_matches('/')))),
    );
    for target in TARGETS.iter().filter_map(|name| text(head, name)) {
        if !target.contains('?') {
            found.push(with_query(&target));
        }
        found.push(target);
    }
    found.retain(|target| target != arrived);
    found
}

/// A header's only value, at most 2 KiB.
fn text(head: &dyn Headers, name: &str) -> Option<String> {
    match occurrence(head, name) {
        Occurrence::Once(value) if value.len() <= 2048 => {
            str::from_utf8(value.trim_ascii()).ok().map(str::to_owned)
        }
        Occurrence::Once(_) | Occurrence::Repeated | Occurrence::Never => None,
    }
}
