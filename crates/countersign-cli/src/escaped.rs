use std::fmt::{self, Write};

/// Text or bytes from outside, shown so that they cannot act on a terminal.
///
/// Control characters, invisible ones, those that change the direction of writing, and bytes that are not UTF-8 are escaped as
/// Rust does it: `\u{1b}`, `\xff`. A backslash is doubled, so that nothing can pretend to have been escaped.
pub(crate) struct Escaped<'t> {
    bytes: &'t [u8],
    keeps_lines: bool,
}

impl<'t> Escaped<'t> {
    /// For a value on a line of its own: a line end is escaped as well.
    pub(crate) fn line(text: &'t (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { bytes: text.as_ref(), keeps_lines: false }
    }

    /// For a text of several lines: line ends stay.
    pub(crate) fn lines(text: &'t (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { bytes: text.as_ref(), keeps_lines: true }
    }
}

/// Whether a terminal shows the character and does nothing else.
pub(crate) fn is_shown(char: char) -> bool {
    matches!(char, '"' | '\'' | '\\') || char.escape_debug().len() == 1
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes.utf8_chunks() {
            for char in chunk.valid().chars() {
                if (is_shown(char) && char != '\\') || (char == '\n' && self.keeps_lines) {
                    f.write_char(char)?;
                } else {
                    write!(f, "{}", char.escape_debug())?;
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_act_on_a_terminal(bytes in prop::collection::vec(any::<u8>(), 0..64), text in any::<String>()) {
            for text in [&*bytes, text.as_bytes()] {
                let shown = Escaped::line(text).to_string();
                prop_assert!(!shown.chars().any(char::is_control), "{:?}", shown);
                let shown = Escaped::lines(text).to_string();
                prop_assert!(!shown.replace('\n', "").chars().any(char::is_control), "{:?}", shown);
            }
        }
    }

    #[test]
    fn nothing_that_acts_on_a_terminal_remains() {
        let hostile = b"\x1b[2J\x07\r\x9b31m\xff\x7f\xc2\x9b\xe2\x80\xae\n\\";
        let shown = Escaped::line(hostile).to_string();
        assert_eq!(shown, r"\u{1b}[2J\u{7}\r\x9b31m\xff\u{7f}\u{9b}\u{202e}\n\\");
    }

    #[test]
    fn text_stays_as_it_is() {
        assert_eq!(Escaped::line("{\"name\": 'Zoë — 你好'}").to_string(), "{\"name\": 'Zoë — 你好'}");
        assert_eq!(Escaped::lines("two\nlines").to_string(), "two\nlines");
    }
}
