//! Who holds a delivery.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use countersign::Identity;

/// One attempt's hold on one delivery: which delivery it is, and the token that tells this attempt from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    identity: Identity,
    token: Token,
}

impl Claim {
    /// A claim on `identity` under `token`. [`Once`](crate::Once) makes its own; this is for stores and tests.
    pub fn new(identity: Identity, token: Token) -> Self {
        Self { identity, token }
    }

    /// The delivery.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The attempt.
    pub fn token(&self) -> &Token {
        &self.token
    }
}

/// A fencing token: 16 bytes that no two attempts share.
///
/// A store compares it with the token that it keeps, so that an attempt that outlived its lease cannot change what the
/// next attempt holds. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; 16]);

impl Token {
    /// Reads a token back, for stores and tests.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

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
        Token(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_within_a_source_and_between_sources() {
        let (one, other) = (Tokens::new().unwrap(), Tokens::new().unwrap());
        assert_ne!(one.next(), one.next());
        assert_ne!(Tokens { prefix: one.prefix, next: AtomicU64::new(0) }.next(), other.next());
    }

    #[test]
    fn a_token_shows_its_bytes_as_lower_case_hex() {
        let token = Token::from_bytes([0x0A; 16]);
        assert_eq!(token.to_string(), "0a".repeat(16));
    }
}
