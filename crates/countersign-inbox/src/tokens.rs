//! What tells an attempt from every other.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::Token;

/// Makes tokens: 8 random bytes drawn once, then a count.
#[derive(Debug)]
pub(crate) struct Tokens {
    prefix: [u8; 8],
    next: AtomicU64,
}

impl Tokens {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut prefix = [0; 8];
        getrandom::fill(&mut prefix)?;
        Ok(Self { prefix, next: AtomicU64::new(0) })
    }

    pub(crate) fn next(&self) -> Token {
        let count = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut token = [0; 16];
        let (prefix, suffix) = token.split_at_mut(8);
        prefix.copy_from_slice(&self.prefix);
        suffix.copy_from_slice(&count);
        token
    }
}
