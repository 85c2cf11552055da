//! Static tokens, which sign nothing.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use crate::{
    error::BuildError,
    keys::{
        key::Key,
        ring::{Comparison, Computed, KeyRing, KeyRules, MOST_KEYS, Running, is_any_of},
    },
    wire::encoding::SignatureBytes,
};

/// The tokens' hashes: comparing those hides how long a token is.
#[derive(Clone)]
pub(crate) struct Ring(Vec<[u8; 32]>);

impl Ring {
    pub(crate) fn new(rules: &KeyRules<'_>, keys: &[Key]) -> Result<Self, BuildError> {
        let hashed = |key: &Key| {
            let token = rules.secret(key)?;
            let is_sendable = token.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
                && token.trim_ascii() == &**token;
            if is_sendable {
                Ok(hash(&token))
            } else {
                Err(rules.wrong_form(key, "visible ASCII characters, as a header can carry"))
            }
        };
        keys.iter().map(hashed).collect::<Result<_, _>>().map(Self)
    }
}

impl KeyRing for Ring {
    fn signature_lengths(&self) -> Vec<RangeInclusive<usize>> {
        vec![1..=usize::MAX]
    }

    fn verifications(&self) -> usize {
        0
    }

    fn start(&self, _: &[SignatureBytes]) -> Box<dyn Running> {
        Box::new(Unsigned { tokens: self.clone(), body: Sha256::new() })
    }
}

/// Hashes a body that no signature covers, for its fingerprint.
struct Unsigned {
    tokens: Ring,
    body: Sha256,
}

impl Running for Unsigned {
    fn update(&mut self, bytes: &[u8]) {
        self.body.update(bytes);
    }

    fn finish(self: Box<Self>, claimed: &[SignatureBytes]) -> Comparison {
        let mut made_by_key = [false; MOST_KEYS];
        for (made, token) in made_by_key.iter_mut().zip(&self.tokens.0) {
            *made = is_any_of(token, claimed);
        }
        Comparison { made_by_key, computed: Computed::new(&self.body.finalize()) }
    }
}

pub(crate) fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}
