use hmac::{
    KeyInit,
    digest::{FixedOutput, Update},
};

use super::{Comparison, MOST_KEYS, is_any_of};
use crate::{error::BuildError, key::Key, scheme::Scheme, signature::Claimed, verification::Computed};

/// One of each key of a hash function: key schedules that are kept, or one delivery's states. There is nearly always one
/// key, so the others are apart.
pub(crate) struct Keyed<M> {
    first: M,
    others: Vec<M>,
}

impl<M: KeyInit + Clone> Keyed<M> {
    pub(crate) fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, BuildError> {
        let keyed = |key: &Key| match key.material.secret() {
            Some(secret) => Ok(keyed(&secret.key(scheme, key.id.as_str())?)),
            None => Err(scheme.does_not_take(key.id.as_str())),
        };
        let mut keys = keys.iter();
        let first = keys.next().ok_or_else(|| BuildError::NoKey { scheme: scheme.name().to_owned() })?;
        Ok(Self { first: keyed(first)?, others: keys.map(keyed).collect::<Result<_, _>>()? })
    }
}

impl<M: Update + FixedOutput + Clone> Keyed<M> {
    pub(crate) fn start(&self) -> Self {
        Self { first: self.first.clone(), others: self.others.clone() }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.first.update(bytes);
        self.others.iter_mut().for_each(|state| state.update(bytes));
    }

    /// What comes of the rest of the content: every key against every signature, without an early exit, since how near a
    /// guess came is to show in no time.
    pub(crate) fn conclude(&self, content: [&[u8]; 3], claimed: &[Claimed]) -> Comparison {
        let mut made_by_key = [false; MOST_KEYS];
        let [first, others @ ..] = &mut made_by_key;
        // Under the first key, whichever matched: a caller that leaves a signature out would change the rest.
        let computed;
        (*first, computed) = compare(&self.first, content, claimed);
        for (made, state) in others.iter_mut().zip(&self.others) {
            (*made, _) = compare(state, content, claimed);
        }
        Comparison { made_by_key, computed }
    }
}

fn compare<M: Update + FixedOutput + Clone>(
    state: &M,
    content: [&[u8]; 3],
    claimed: &[Claimed],
) -> (bool, Computed) {
    let mut state = state.clone();
    for part in content {
        if !part.is_empty() {
            state.update(part);
        }
    }
    let computed = state.finalize_fixed();
    (is_any_of(&computed, claimed), Computed::new(&computed))
}

pub(crate) fn keyed<M: KeyInit>(key: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "RFC 2104 defines HMAC for keys of every length")]
    M::new_from_slice(key).expect("HMAC takes keys of every length")
}
