//! Ed25519, [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032).

use std::ops::RangeInclusive;

use ed25519_dalek::{Signature, StreamVerifier, VerifyingKey};
use sha2::{Digest, Sha512};

use crate::{
    error::BuildError,
    keys::{
        key::Key,
        public_key::PublicKey,
        ring::{Comparison, Computed, KeyRing, KeyRules, MOST_KEYS, Running},
    },
    wire::encoding::SignatureBytes,
};

pub(crate) struct Ring(Vec<VerifyingKey>);

impl Ring {
    pub(crate) fn new(rules: &KeyRules<'_>, keys: &[Key]) -> Result<Self, BuildError> {
        let key = |key: &Key| {
            let public = key.material.public_key().and_then(PublicKey::ed25519);
            public.ok_or_else(|| rules.does_not_fit(&key.id))
        };
        keys.iter().map(key).collect::<Result<_, _>>().map(Self)
    }
}

impl KeyRing for Ring {
    fn signature_lengths(&self) -> Vec<RangeInclusive<usize>> {
        vec![64..=64]
    }

    fn verifications(&self) -> usize {
        self.0.len()
    }

    fn start(&self, claimed: &[SignatureBytes]) -> Box<dyn Running> {
        let signatures = claimed.iter().filter_map(|bytes| Signature::from_slice(bytes).ok());
        let pairs = signatures.flat_map(|signature| {
            let stream = move |(place, key): (usize, &VerifyingKey)| {
                Some((place, key.verify_stream(&signature).ok()?))
            };
            self.0.iter().enumerate().filter_map(stream)
        });
        Box::new(Pairs { pairs: pairs.collect(), content: Sha512::new() })
    }
}

/// Ed25519 hashes the signature before the content, so each pair of a key and a signature needs its own pass.
struct Pairs {
    /// Each with its key's place in the ring.
    pairs: Vec<(usize, StreamVerifier)>,
    content: Sha512,
}

impl Running for Pairs {
    fn update(&mut self, bytes: &[u8]) {
        self.pairs.iter_mut().for_each(|(_, stream)| stream.update(bytes));
        self.content.update(bytes);
    }

    fn finish(self: Box<Self>, _: &[SignatureBytes]) -> Comparison {
        let mut made_by_key = [false; MOST_KEYS];
        for (place, stream) in self.pairs {
            if let (Some(made), Ok(())) = (made_by_key.get_mut(place), stream.finalize_and_verify()) {
                *made = true;
            }
        }
        Comparison { made_by_key, computed: Computed::new(&self.content.finalize()) }
    }
}
