//! Ed25519, [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032): the only file that names its library.

pub(crate) use ed25519_dalek::VerifyingKey;
use ed25519_dalek::{Signature, StreamVerifier};
use sha2::{Digest, Sha512};
use smallvec::SmallVec;

use super::{Comparison, MOST_KEYS};
use crate::{error::BuildError, key::Key, scheme::Scheme, signature::Claimed, verification::Computed};

pub(crate) struct KeyRing(Vec<VerifyingKey>);

/// One delivery's hashing. What Ed25519 hashes begins with the signature, so that every key and signature is a pass of
/// its own.
pub(crate) struct Running {
    pairs: SmallVec<[(usize, StreamVerifier); 1]>,
    content: Sha512,
}

/// The key, where it is a point of the curve that is not of small order: with such a key one signature fits many bodies.
pub(crate) fn parse(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

impl KeyRing {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        let key = |key: &Key| {
            let public = key.material.public_key().and_then(crate::PublicKey::ed25519);
            public.ok_or_else(|| scheme.does_not_take(key.id.as_str()))
        };
        keys.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn start(&self, claimed: &[Claimed]) -> Running {
        let signatures = claimed.iter().filter_map(|bytes| Signature::from_slice(bytes).ok());
        let pairs = signatures.flat_map(|signature| {
            let stream = move |(place, key): (usize, &VerifyingKey)| {
                Some((place, key.verify_stream(&signature).ok()?))
            };
            self.0.iter().enumerate().filter_map(stream)
        });
        Running { pairs: pairs.collect(), content: Sha512::new() }
    }
}

impl Running {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.pairs.iter_mut().for_each(|(_, stream)| stream.update(bytes));
        self.content.update(bytes);
    }

    pub(crate) fn conclude(mut self, content: [&[u8]; 3]) -> Comparison {
        for part in content {
            self.update(part);
        }
        let mut made_by_key = [false; MOST_KEYS];
        for (place, stream) in self.pairs {
            if let (Some(made), Ok(())) = (made_by_key.get_mut(place), stream.finalize_and_verify()) {
                *made = true;
            }
        }
        Comparison { made_by_key, computed: Computed::new(&self.content.finalize()) }
    }
}
