//! What one delivery signs besides its body.

use std::{ops::Range, str};

use smallvec::SmallVec;

/// The bytes signed before and after the body, and where the values of signed headers lie in them.
#[derive(Default)]
pub(crate) struct SignedParts {
    /// What is signed before the body, then what is signed after it.
    text: SmallVec<[u8; 96]>,
    body_at: usize,
    headers: SmallVec<[Range<usize>; 1]>,
}

impl SignedParts {
    /// Appends a part before the body.
    pub(crate) fn push_before(&mut self, part: &str, is_header: bool) {
        self.push_after(part, is_header);
        self.body_at = self.text.len();
    }

    /// Appends a part after the body.
    pub(crate) fn push_after(&mut self, part: &str, is_header: bool) {
        let start = self.text.len();
        self.text.extend_from_slice(part.as_bytes());
        if is_header {
            self.headers.push(start..self.text.len());
        }
    }

    pub(crate) fn before_body(&self) -> &[u8] {
        self.text.get(..self.body_at).unwrap_or_default()
    }

    pub(crate) fn after_body(&self) -> &[u8] {
        self.text.get(self.body_at..).unwrap_or_default()
    }

    /// The values of the signed headers, in the order in which the scheme signs them.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        let text =
            |range: &Range<usize>| self.text.get(range.clone()).and_then(|text| str::from_utf8(text).ok());
        self.headers.iter().map(move |range| text(range).unwrap_or_default())
    }
}
