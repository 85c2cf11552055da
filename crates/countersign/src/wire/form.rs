//! The fields of an HTML form, in the form in which they are signed.

use percent_encoding::percent_decode;

/// Limit on fields: each costs more memory than its two bytes on the wire.
const MOST_FIELDS: usize = 1024;

/// The fields of an `application/x-www-form-urlencoded` body, decoded and sorted by name and then by value: each name
/// followed by its value, equal pairs once. `None` if the body is not such a form.
pub(crate) fn sorted(body: &[u8]) -> Option<Vec<u8>> {
    // The parser replaces whatever is not UTF-8, so two different bodies would give the same text.
    percent_decode(body).decode_utf8().ok()?;
    let mut fields: Vec<_> = form_urlencoded::parse(body).take(MOST_FIELDS.saturating_add(1)).collect();
    if fields.len() > MOST_FIELDS {
        return None;
    }
    fields.sort_unstable();
    fields.dedup();
    // Decoding never makes a body longer.
    let mut sorted = Vec::with_capacity(body.len());
    for (name, value) in &fields {
        sorted.extend_from_slice(name.as_bytes());
        sorted.extend_from_slice(value.as_bytes());
    }
    Some(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_sorted_and_deduplicated() {
        for (body, signed) in [
            ("", ""),
            ("b=2&a=1", "a1b2"),
            ("a=2&a=1&a=2", "a1a2"),
            ("a=+%2B%20&Z=", "Za + "),
            ("a&&=v&b=c=d", "vabc=d"),
            ("%C3%A9=\u{e9}&a%zz=%", "a%zz%\u{e9}\u{e9}"),
        ] {
            assert_eq!(sorted(body.as_bytes()).unwrap(), signed.as_bytes(), "{body}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_not_a_form() {
        for body in [&b"a=\xff"[..], b"a=%ff", b"%C3=%A9", b"a=%ED%A0%80"] {
            assert_eq!(sorted(body), None, "{body:?}");
        }
        assert!(sorted("a=%EF%BF%BD".as_bytes()).is_some());
    }

    #[test]
    fn a_body_with_more_than_1024_fields_is_not_a_form() {
        assert!(sorted("a&&".repeat(1024).as_bytes()).is_some());
        assert_eq!(sorted("a&".repeat(1025).as_bytes()), None);
    }
}
