use std::ops::BitOr;

use hmac::{KeyInit, Mac};
use smallvec::SmallVec;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

use super::{Comparison, MOST_KEYS};
use crate::{error::BuildError, key::Key, scheme::Scheme, signature::Claimed, verification::Fingerprint};

/// The keys of one hash function, with their key schedules kept.
pub(crate) struct Keyed<M>(Vec<M>);

/// One delivery's hashing, for every key in step.
pub(crate) struct Running<M: Clone>(SmallVec<[M; 2]>);

impl<M: Mac + KeyInit + Clone> Keyed<M> {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        let keyed = |key: &Key| match key.material.secret() {
            Some(secret) => Ok(keyed(&secret.key(scheme, key.id.as_str())?)),
            None => Err(scheme.does_not_take(key.id.as_str())),
        };
        keys.iter().map(keyed).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn start(&self) -> Running<M> {
        Running(self.0.iter().cloned().collect())
    }
}

impl<M: Mac + Clone> Running<M> {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|state| state.update(bytes));
    }

    /// Every key against every signature, without an early exit: how near a guess came shows in no time.
    pub(crate) fn compare(self, claimed: &[Claimed]) -> Comparison {
        let mut made_by_key = [false; MOST_KEYS];
        let mut fingerprint = None;
        for (made, state) in made_by_key.iter_mut().zip(self.0) {
            let mut computed = state.finalize().into_bytes();
            let compare = |signature: &Claimed| computed.ct_eq(signature.as_slice());
            *made = claimed.iter().map(compare).fold(Choice::from(0), BitOr::bitor).into();
            // Under the first key, whichever matched: a caller that leaves a signature out would change the rest.
            fingerprint.get_or_insert_with(|| Fingerprint::of(&computed));
            computed.as_mut_slice().zeroize();
        }
        Comparison { made_by_key, fingerprint: fingerprint.unwrap_or_else(|| Fingerprint::of(&[])) }
    }
}

pub(crate) fn keyed<M: Mac + KeyInit>(key: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "RFC 2104 defines HMAC for keys of every length")]
    <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length")
}
