//! A request's headers, and what else of its head a scheme may sign.

/// A request's headers, as a verification reads them.
///
/// This is the one trait that an adapter for a framework implements. Lists of pairs implement it already:
///
/// ```
/// use countersign::Headers;
///
/// let headers = [("Content-Type", "application/json"), ("X-Hmac-SHA256", "abc=")];
/// let mut seen = Vec::new();
/// headers.for_each_value("x-hmac-sha256", &mut |value| seen.push(value));
/// assert_eq!(seen, [b"abc="]);
/// ```
pub trait Headers {
    /// Calls `each` with the raw bytes of every value of the header `name`, in wire order.
    ///
    /// `name` is in lower case; names on the wire match it in any case. Call `each` twice for a header that was sent
    /// twice: joining or dropping values would hide a duplicate from the check.
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8]));

    /// The request's method, such as `POST`, for schemes that sign it; `None` if unknown.
    fn method(&self) -> Option<&str> {
        None
    }

    /// The request's path and query as sent, such as `/webhooks?id=1`, for schemes that sign them; `None` if unknown.
    fn target(&self) -> Option<&str> {
        None
    }

    /// The host, with its port if it has one, in the request's target: HTTP/2 sends it there in place of the header `Host`. `None` if
    /// unknown.
    fn authority(&self) -> Option<&str> {
        None
    }
}

impl<H: Headers + ?Sized> Headers for &H {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        (**self).for_each_value(name, each);
    }

    fn method(&self) -> Option<&str> {
        (**self).method()
    }

    fn target(&self) -> Option<&str> {
        (**self).target()
    }

    fn authority(&self) -> Option<&str> {
        (**self).authority()
    }
}

/// Headers together with the request's method and target, for schemes that sign those.
///
/// ```
/// use countersign::{Headers, RequestHead};
///
/// let headers = [("x-hmac-sha256", "abc=")];
/// let head = RequestHead::new("POST", "/webhooks?id=1", &headers);
/// assert_eq!(head.target(), Some("/webhooks?id=1"));
/// ```
#[derive(Debug)]
pub struct RequestHead<'r, H: ?Sized> {
    method: &'r str,
    target: &'r str,
    headers: &'r H,
}

impl<'r, H: Headers + ?Sized> RequestHead<'r, H> {
    /// Combines a method, a path and query exactly as sent, and headers.
    pub fn new(method: &'r str, target: &'r str, headers: &'r H) -> Self {
        Self { method, target, headers }
    }
}

impl<H: Headers + ?Sized> Headers for RequestHead<'_, H> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.headers.for_each_value(name, each);
    }

    fn method(&self) -> Option<&str> {
        Some(self.method)
    }

    fn target(&self) -> Option<&str> {
        Some(self.target)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        for (candidate, value) in self {
            if candidate.as_ref().eq_ignore_ascii_case(name) {
                each(value.as_ref());
            }
        }
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const LEN: usize> Headers for [(N, V); LEN] {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.as_slice().for_each_value(name, each);
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.as_slice().for_each_value(name, each);
    }
}

/// How often a header occurs, with its value if that is exactly once.
#[derive(Clone, Copy)]
pub(crate) enum Occurrence<'h> {
    Never,
    Once(&'h [u8]),
    Repeated,
}

pub(crate) fn occurrence<'h>(headers: &'h (impl Headers + ?Sized), name: &str) -> Occurrence<'h> {
    let mut found = Occurrence::Never;
    headers.for_each_value(name, &mut |value| {
        found = match found {
            Occurrence::Never => Occurrence::Once(value),
            Occurrence::Once(_) | Occurrence::Repeated => Occurrence::Repeated,
        };
    });
    found
}

/// The name in lower case, if HTTP allows it.
pub(crate) fn header_name(name: &str) -> Option<String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_token)).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Everything;

    impl Headers for Everything {
        fn for_each_value<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
            if name == "a" {
                each(b"1");
            }
        }

        fn method(&self) -> Option<&str> {
            Some("PUT")
        }

        fn target(&self) -> Option<&str> {
            Some("/hook")
        }

        fn authority(&self) -> Option<&str> {
            Some("shop.example")
        }
    }

    fn values(headers: impl Headers, name: &str) -> Vec<Vec<u8>> {
        let mut values = Vec::new();
        headers.for_each_value(name, &mut |value| values.push(value.to_vec()));
        values
    }

    #[test]
    fn a_reference_is_the_head_that_it_refers_to() {
        fn read(head: impl Headers) -> [Option<String>; 3] {
            [head.method(), head.target(), head.authority()].map(|part| part.map(str::to_owned))
        }
        assert_eq!(read(&Everything), read(Everything));
        assert_eq!(values(&Everything, "a"), [b"1"]);
    }

    #[test]
    fn lists_of_pairs_give_every_value_of_a_name_in_any_case_and_nothing_else_of_a_head() {
        let pairs = [("A", "1"), ("b", "2"), ("a", "3")];
        assert_eq!(values(pairs, "a"), [b"1", b"3"]);
        assert_eq!(values(&pairs[..], "a"), [b"1", b"3"]);
        assert_eq!(values(pairs.to_vec(), "a"), [b"1", b"3"]);
        assert_eq!((pairs.method(), pairs.target(), pairs.authority()), (None, None, None));
    }
}
