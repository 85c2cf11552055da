//! How often a key was used, counted without a lock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::keys::key::Material;

/// The use of one key. It outlives the verifier: the one that takes its place counts on, if it holds the same key.
pub(crate) struct Usage {
    /// A hash by which the key is recognized after its secret is wiped. It is never shown.
    stamp: Zeroizing<[u8; 32]>,
    needed: Count,
    unneeded: Count,
    /// When somebody was last warned of the key's expiry, in seconds since 1970, or 0.
    warned: AtomicU64,
}

/// How often something happened, and when last, in seconds since 1970.
#[derive(Default)]
struct Count {
    times: AtomicU64,
    last: AtomicU64,
}

/// What a count held at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) times: u64,
    pub(crate) last: Option<SystemTime>,
}

impl Usage {
    pub(crate) fn of(material: &Material) -> Self {
        Self {
            stamp: Zeroizing::new(material.hashed_into(Sha256::new()).finalize().into()),
            needed: Count::default(),
            unneeded: Count::default(),
            warned: AtomicU64::new(0),
        }
    }

    /// Counts a delivery that the key signed. `is_needed`: no other active key signed it too. Returns whether the delivery came in
    /// a later second than the last such one.
    #[inline]
    pub(crate) fn count(&self, second: u64, is_needed: bool) -> bool {
        if is_needed { &self.needed } else { &self.unneeded }.add(second)
    }

    /// The deliveries that only this active key signed.
    pub(crate) fn needed(&self) -> Counted {
        self.needed.read()
    }

    /// All deliveries that the key signed.
    pub(crate) fn matched(&self) -> Counted {
        let (needed, unneeded) = (self.needed.read(), self.unneeded.read());
        Counted { times: needed.times.saturating_add(unneeded.times), last: needed.last.max(unneeded.last) }
    }

    pub(crate) fn is_of_the_same_key(&self, other: &Self) -> bool {
        self.stamp.ct_eq(&*other.stamp).into()
    }

    /// Whether it is time to warn of the key's expiry: once in each period, whoever asks.
    pub(crate) fn may_warn(&self, second: u64, period: Duration) -> bool {
        is_due(&self.warned, second, period)
    }
}

impl Count {
    /// Returns whether the second is later than the last one.
    #[inline]
    fn add(&self, second: u64) -> bool {
        // The instant first: what has been counted has an instant. It is written once a second at most.
        let is_later = self.last.load(Ordering::Relaxed) < second;
        if is_later {
            self.last.fetch_max(second, Ordering::Relaxed);
        }
        self.times.fetch_add(1, Ordering::Release);
        is_later
    }

    fn read(&self) -> Counted {
        let times = self.times.load(Ordering::Acquire);
        let last = Duration::from_secs(self.last.load(Ordering::Relaxed));
        Counted { times, last: if times == 0 { None } else { UNIX_EPOCH.checked_add(last) } }
    }
}

/// Whether a period has passed since `last`, which is then set to this second: one caller of several is told so.
#[inline]
pub(crate) fn is_due(last: &AtomicU64, second: u64, period: Duration) -> bool {
    let before = last.load(Ordering::Relaxed);
    let is_due = before == 0 || second.saturating_sub(before) >= period.as_secs();
    is_due && last.compare_exchange(before, second.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Seconds since 1970; an instant before counts as that.
pub(crate) fn seconds(instant: SystemTime) -> u64 {
    instant.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::secret::Secret;

    #[cfg(feature = "public-key")]
    #[test]
    fn a_public_key_is_recognized_and_no_other_is_taken_for_it() {
        // The first two of RFC 8032 §7.1.
        let [first, second] = [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ];
        let usage = |hex: &str| {
            let raw = base16ct::lower::decode_vec(hex).unwrap();
            let key = crate::keys::public_key::PublicKey::from_ed25519(&raw).unwrap();
            Usage::of(&Material::PublicKey(key))
        };
        assert!(usage(first).is_of_the_same_key(&usage(first)));
        assert!(!usage(first).is_of_the_same_key(&usage(second)));
    }

    #[test]
    fn a_count_says_whether_its_second_is_later_than_the_last() {
        let usage = Usage::of(&Material::Secret(Secret::new("secret")));
        assert_eq!((usage.matched().times, usage.matched().last), (0, None));
        let seconds = [5, 5, 6, 4, 6, 7];
        let later: Vec<bool> = seconds.iter().map(|second| usage.count(*second, true)).collect();
        assert_eq!(later, [true, false, true, false, false, true]);
        assert!(usage.count(3, false), "each kind has a last second of its own");
        let last = UNIX_EPOCH.checked_add(Duration::from_secs(7));
        assert_eq!((usage.needed().times, usage.needed().last), (6, last));
        assert_eq!((usage.matched().times, usage.matched().last), (7, last));
    }
}
