//! The fields of an HTML form, as they are signed.

use percent_encoding::percent_decode;

use crate::rejection::RejectionKind;

/// The most fields that a form may have: each costs more memory than its two bytes on the wire.
const MOST_FIELDS: usize = 1024;

/// The fields of an `application/x-www-form-urlencoded` body, sorted by name and then by value: each name followed by its
/// value, equal pairs once.
pub(crate) fn sorted(body: &[u8]) -> Result<Vec<u8>, RejectionKind> {
    // The parser writes one replacement character for whatever is no UTF-8: two bodies would give the same text.
    percent_decode(body).decode_utf8().map_err(|_| RejectionKind::FormMalformed)?;
    let mut fields = Vec::new();
    for field in form_urlencoded::parse(body) {
        if fields.len() == MOST_FIELDS {
            return Err(RejectionKind::FormMalformed);
        }
        fields.push(field);
    }
    fields.sort_unstable();
    fields.dedup();
    // Decoding makes nothing longer.
    let mut sorted = Vec::with_capacity(body.len());
    for (name, value) in &fields {
        sorted.extend_from_slice(name.as_bytes());
        sorted.extend_from_slice(value.as_bytes());
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_sorted_and_taken_once() {
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
    fn bytes_that_are_no_utf_8_are_no_form() {
        for body in [&b"a=\xff"[..], b"a=%ff", b"%C3=%A9", b"a=%ED%A0%80"] {
            assert_eq!(sorted(body), Err(RejectionKind::FormMalformed), "{body:?}");
        }
        assert!(sorted("a=%EF%BF%BD".as_bytes()).is_ok());
    }

    #[test]
    fn a_form_of_more_fields_than_anyone_sends_is_no_form() {
        assert!(sorted("a&&".repeat(1024).as_bytes()).is_ok());
        assert_eq!(sorted("a&".repeat(1025).as_bytes()), Err(RejectionKind::FormMalformed));
    }
}
