//! Which headers go from a caller to the service, and back.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Version,
    header::{self, Entry},
    request::Parts,
};

use crate::hop_by_hop::{HopByHop, plain};

/// The request's method and path are the route's: no service may take others from a header. `Proxy` becomes the variable
/// `HTTP_PROXY` in CGI.
const NEVER_FORWARDED: [&str; 6] = [
    "proxy",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// What tells where a request came from, by whoever set it.
const FORWARDED: [&str; 3] = ["forwarded", "x-real-ip", "true-client-ip"];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

const VIA: HeaderValue = HeaderValue::from_static("1.1 countersign");

/// The headers with which a request is forwarded, without those of the verification.
///
/// Names are compared as servers do that map them to variables (CGI, WSGI, PHP): `Countersign_Sender` is `Countersign-Sender`.
pub(crate) fn of_request(head: &Parts, caller: IpAddr, trust_forwarded: bool) -> HeaderMap {
    let of_connection = HopByHop::of(&head.headers);
    let mut headers = HeaderMap::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        let plain = plain(name.as_str());
        let is_odd = plain != name.as_str();
        let is_forwarded = FORWARDED.contains(&&*plain) || plain.starts_with("x-forwarded-");
        let is_dropped = of_connection.contains(&plain)
            || NEVER_FORWARDED.contains(&&*plain)
            || plain.starts_with("countersign-")
            || (is_forwarded && (is_odd || !trust_forwarded))
            // A service could take it for the header of which it is another spelling.
            || (is_odd && head.headers.contains_key(&*plain));
        if !is_dropped {
            headers.append(name, value.clone());
        }
    }
    // Some proxies add a line of their own instead of an item to the caller's.
    let mut chain = Vec::new();
    for line in headers.get_all(&X_FORWARDED_FOR) {
        chain.extend_from_slice(line.as_bytes());
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(caller.to_string().as_bytes());
    if let Ok(chain) = HeaderValue::try_from(chain) {
        headers.insert(X_FORWARDED_FOR, chain);
    }
    if let Entry::Vacant(slot) = headers.entry(X_FORWARDED_PROTO) {
        slot.insert(HeaderValue::from_static("http"));
    }
    if let Some(host) = head.headers.get(header::HOST).cloned()
        && let Entry::Vacant(slot) = headers.entry(X_FORWARDED_HOST)
    {
        slot.insert(host);
    }
    headers.append(header::VIA, VIA);
    headers
}

/// Leaves to the caller what the service's answer says about its own connection.
pub(crate) fn of_response(headers: &mut HeaderMap) {
    // A length beside a transfer coding is not the body's.
    let has_coding = headers.contains_key(header::TRANSFER_ENCODING);
    let of_connection = HopByHop::of(headers);
    let is_dropped = |name: &&HeaderName| {
        of_connection.contains(&plain(name.as_str())) && (*name != header::CONTENT_LENGTH || has_coding)
    };
    let dropped: Vec<HeaderName> = headers.keys().filter(is_dropped).cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
}

/// What is wrong with the framing or the address of a request that must not even be looked at.
pub(crate) fn mistake<B>(request: &Request<B>) -> Option<&'static str> {
    let (headers, uri) = (request.headers(), request.uri());
    if uri.authority().is_some() || uri.scheme().is_some() || !uri.path().starts_with('/') {
        return Some("the target is not a path");
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() >= Version::HTTP_11 => return Some("the header Host is missing"),
        (Some(_), Some(_)) => return Some("the header Host is there twice"),
        (Some(host), None) if !is_host(host) => return Some("the header Host is not a host"),
        _ => {}
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    // A length beside it is gone already: hyper reads the chunks, and ends the connection after the answer.
    let coding = codings.next();
    if codings.next().is_some()
        || coding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Some("the transfer coding is not chunked alone");
    }
    None
}

fn is_host(value: &HeaderValue) -> bool {
    let authority: Result<http::uri::Authority, _> = value.as_bytes().try_into();
    authority.is_ok_and(|authority| !authority.as_str().contains('@'))
}
