//! Who may use the page: a browser on this machine that was given the token, and no other site's page in it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use subtle::ConstantTimeEq;

#[derive(Clone)]
pub(super) struct Access {
    /// In the page's address, behind `#`, so that only its own script knows it.
    token: Arc<str>,
    hosts: Arc<[String]>,
}

const TOKEN: HeaderName = HeaderName::from_static("x-countersign-token");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Access {
    /// For requests whose `Host` is the address, or a name of this machine with its port.
    pub(super) fn new(address: SocketAddr, token: &str) -> Self {
        let port = address.port();
        let hosts = [
            address.to_string(),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
            format!("[::1]:{port}"),
        ];
        Self { token: token.into(), hosts: hosts.into() }
    }

    fn knows(&self, host: &[u8]) -> bool {
        self.hosts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(host))
    }
}

/// Refuses requests for other hosts: another site's page could otherwise reach this one through a name that it resolves to this
/// machine.
pub(super) async fn check_host(State(access): State<Access>, request: Request, next: Next) -> Response {
    match only(request.headers(), &HOST) {
        Some(host) if access.knows(host.as_bytes()) => next.run(request).await,
        _ => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

/// Refuses what a browser sends for another site's page.
pub(super) async fn check_site(State(access): State<Access>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_own_site = match only(headers, &SITE) {
        Some(site) => site == "same-origin",
        // No browser.
        None => !headers.contains_key(SITE),
    };
    let is_own_origin = match only(headers, &ORIGIN) {
        Some(origin) => origin.as_bytes().strip_prefix(b"http://").is_some_and(|host| access.knows(host)),
        None => !headers.contains_key(ORIGIN),
    };
    if is_own_site && is_own_origin { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

/// Refuses whoever does not know the token.
pub(super) async fn check_token(State(access): State<Access>, request: Request, next: Next) -> Response {
    let is_known = only(request.headers(), &TOKEN)
        .is_some_and(|token| bool::from(token.as_bytes().ct_eq(access.token.as_bytes())));
    if is_known { next.run(request).await } else { StatusCode::UNAUTHORIZED.into_response() }
}

/// Lets the browser run and load nothing but our own files, whatever a delivery holds.
pub(super) async fn protect(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; \
             base-uri 'none'; form-action 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The header's only value.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}
