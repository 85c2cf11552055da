//! HMAC, [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104).

use std::ops::RangeInclusive;

use hmac::{
    KeyInit,
    digest::{FixedOutputReset, Update},
};
use smallvec::SmallVec;

use crate::{
    error::BuildError,
    keys::{
        key::Key,
        ring::{Comparison, Computed, KeyRing, KeyRules, MOST_KEYS, Running, is_any_of},
    },
    wire::encoding::SignatureBytes,
};

/// The kind that can finish in place, without a copy of its state.
pub(crate) type Hmac<D> = ::hmac::HmacReset<D>;

/// A key schedule for each key; while a delivery is hashed, a running state for each.
#[derive(Clone)]
pub(crate) struct Ring<M>(SmallVec<[M; 1]>);

impl<M: KeyInit> Ring<M> {
    pub(crate) fn new(rules: &KeyRules<'_>, keys: &[Key]) -> Result<Self, BuildError> {
        keys.iter().map(|key| Ok(keyed(&rules.secret(key)?))).collect::<Result<_, _>>().map(Self)
    }
}

/// What every HMAC state can do.
trait State: Update + FixedOutputReset + Clone + Send + Sync + 'static {}

impl<M: Update + FixedOutputReset + Clone + Send + Sync + 'static> State for M {}

impl<M: State> KeyRing for Ring<M> {
    fn signature_lengths(&self) -> Vec<RangeInclusive<usize>> {
        let length = M::output_size();
        vec![length..=length]
    }

    fn verifications(&self) -> usize {
        0
    }

    fn start(&self, _: &[SignatureBytes]) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}

impl<M: State> Running for Ring<M> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|state| state.update(bytes));
    }

    fn finish(mut self: Box<Self>, claimed: &[SignatureBytes]) -> Comparison {
        let mut made_by_key = [false; MOST_KEYS];
        let mut first = None;
        for (made, state) in made_by_key.iter_mut().zip(&mut self.0) {
            let computed = state.finalize_fixed_reset();
            *made = is_any_of(&computed, claimed);
            first.get_or_insert_with(|| Computed::new(&computed));
        }
        // The first key's, whichever matched: a caller who leaves a signature out must not change the fingerprint.
        Comparison { made_by_key, computed: first.unwrap_or_else(|| Computed::new(&[])) }
    }
}

pub(crate) fn keyed<M: KeyInit>(key: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "RFC 2104 defines HMAC for keys of every length")]
    M::new_from_slice(key).expect("HMAC accepts keys of every length")
}
