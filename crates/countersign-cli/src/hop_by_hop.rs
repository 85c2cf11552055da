//! The headers of one connection, which a proxy does not pass on.

use std::borrow::Cow;

use http::{HeaderMap, header};

/// What RFC 9110 names in section 7.6.1, and the headers whose job the program has done: it has received the body, and gives it
/// a length of its own.
const ALWAYS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers of the connection that a head came over.
pub(crate) struct HopByHop {
    /// The names that `Connection` lists.
    named: Vec<String>,
}

impl HopByHop {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let names = values.flat_map(|value| value.split(','));
        Self { named: names.map(|name| plain(name.trim()).into_owned()).collect() }
    }

    /// Whether the header with this [`plain`] name is one of them. `Host` is none, also if `Connection` says so.
    pub(crate) fn contains(&self, plain: &str) -> bool {
        ALWAYS.contains(&plain)
            || plain.starts_with("proxy-")
            || (plain != "host" && self.named.iter().any(|name| name == plain))
    }
}

/// The name as servers see it that map names to variables (CGI, WSGI, PHP), where nothing but letters and digits tells names apart.
pub(crate) fn plain(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let letter = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    Cow::Owned(name.chars().map(letter).collect())
}
