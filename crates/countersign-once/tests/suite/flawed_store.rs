//! A store that keeps the contract in the plainest way, but for one flaw.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use countersign_once::{
    Claim, ClaimAnswer, Fence, Identity, Store, StoreError, Token,
    conformance::Rule::{self, *},
};
use tokio::{task::yield_now, time::sleep};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    Panics,
    Hangs,
    GrantsTwice,
    GrantsItsOwnTokenAgain,
    ForgetsCompletions,
    KeepsReleased,
    ForgetsOnRelease,
    ExtendsWhatIsDone,
    NeverExpires,
    ExpiresEarly,
    CompletesForStale,
    ReleasesForStale,
    ExtendsForStale,
    CompletesOverDone,
    ComparesNoToken,
    RefusesLateCompletions,
    RefusesRepeatedCompletions,
    IgnoresExtensions,
    KeepsForEver,
    KeepsTooShort,
    ChecksThenClaims,
    TakesOverUnchecked,
    CutsTheIdentity,
    OverflowsOnLongTimes,
    RefusesLongTimes,
    LeavesALockBehind,
    SaysTooMuchIsLeft,
}

impl Flaw {
    pub(crate) const ALL: [(Self, Rule); 27] = [
        (Self::Panics, Finishes),
        (Self::Hangs, Finishes),
        (Self::GrantsTwice, HeldIsInProgress),
        (Self::GrantsItsOwnTokenAgain, HeldIsInProgress),
        (Self::SaysTooMuchIsLeft, HeldIsInProgress),
        (Self::ForgetsCompletions, CompletedIsDone),
        (Self::KeepsReleased, ReleasedIsClaimable),
        (Self::ForgetsOnRelease, DoneIsNotReleased),
        (Self::ExtendsWhatIsDone, DoneIsNotReleased),
        (Self::NeverExpires, ExpiredIsClaimable),
        (Self::ExpiresEarly, ExpiredIsClaimable),
        (Self::CompletesForStale, StaleCannotComplete),
        (Self::ReleasesForStale, StaleCannotRelease),
        (Self::ExtendsForStale, StaleCannotExtend),
        (Self::CompletesOverDone, DoneIsFenced),
        (Self::ComparesNoToken, StrangerIsFenced),
        (Self::RefusesLateCompletions, LateCompletionCounts),
        (Self::RefusesRepeatedCompletions, CompletionRepeats),
        (Self::IgnoresExtensions, ExtendedIsHeld),
        (Self::KeepsForEver, KeepTimeEnds),
        (Self::KeepsTooShort, KeepTimeEnds),
        (Self::ChecksThenClaims, OneOfMany),
        (Self::TakesOverUnchecked, OneTakesOver),
        (Self::CutsTheIdentity, IdentitiesAreApart),
        (Self::OverflowsOnLongTimes, EveryDurationFits),
        (Self::RefusesLongTimes, EveryDurationFits),
        (Self::LeavesALockBehind, DroppedCallsAreHarmless),
    ];
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    token: Token,
    done: bool,
    until: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct FlawedStore {
    flaw: Flaw,
    entries: Mutex<HashMap<[u8; 32], Entry>>,
    lock: tokio::sync::Mutex<()>,
    locked: Mutex<HashSet<[u8; 32]>>,
}

impl FlawedStore {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            entries: Mutex::default(),
            lock: tokio::sync::Mutex::default(),
            locked: Mutex::default(),
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<[u8; 32], Entry>> {
        self.entries.lock().unwrap()
    }

    fn key(&self, identity: &Identity) -> [u8; 32] {
        let mut key = *identity.as_bytes();
        if self.is(Flaw::CutsTheIdentity) {
            key[31] = 0;
        }
        key
    }

    fn entry(&self, claim: &Claim) -> Option<Entry> {
        let entry = self.entries().get(&self.key(claim.identity())).copied()?;
        let expired =
            entry.until.is_some_and(|until| until <= Instant::now()) && !self.is(Flaw::NeverExpires);
        (!expired).then_some(entry)
    }

    fn put(&self, claim: &Claim, done: bool, time: Duration) {
        let time = match self.flaw {
            Flaw::ExpiresEarly if !done => time / 2,
            Flaw::KeepsTooShort if done => time / 2,
            _ => time,
        };
        let until = match self.flaw {
            Flaw::KeepsForEver if done => None,
            Flaw::OverflowsOnLongTimes => {
                Some(Instant::now() + Duration::from_millis(u64::from(low_bits(time))))
            }
            _ => Instant::now().checked_add(time),
        };
        self.entries().insert(self.key(claim.identity()), Entry { token: *claim.token(), done, until });
    }

    /// Whether the token in the entry is another's. It compares as `flaw` says.
    fn fences(&self, entry: Option<Entry>, claim: &Claim, flaw: Flaw) -> bool {
        let flawed = self.is(flaw) || self.is(Flaw::ComparesNoToken);
        entry.is_some_and(|entry| entry.token != *claim.token()) && !flawed
    }

    fn refuses(&self, time: Duration) -> Result<(), StoreError> {
        if self.is(Flaw::RefusesLongTimes) && time > Duration::from_secs(1 << 32) {
            return Err(StoreError::new("a time that is too long"));
        }
        Ok(())
    }
}

impl Store for FlawedStore {
    async fn claim(&self, claim: Claim, lease: Duration) -> Result<ClaimAnswer, StoreError> {
        self.refuses(lease)?;
        match self.flaw {
            Flaw::Panics => panic!("the store panics"),
            Flaw::Hangs => std::future::pending().await,
            Flaw::LeavesALockBehind => {
                assert!(self.locked.lock().unwrap().insert(*claim.identity().as_bytes()), "locked");
                yield_now().await;
                self.locked.lock().unwrap().remove(claim.identity().as_bytes());
            }
            _ => {}
        }
        let guard = self.lock.lock().await;
        let before = self.entry(&claim);
        if self.is(Flaw::ChecksThenClaims)
            || self.is(Flaw::TakesOverUnchecked) && self.entries().contains_key(claim.identity().as_bytes())
        {
            drop(guard);
            sleep(Duration::from_millis(1)).await;
        }
        match before {
            Some(entry) if entry.done => Ok(ClaimAnswer::Done),
            Some(entry) if entry.token == *claim.token() && self.is(Flaw::GrantsItsOwnTokenAgain) => {
                Ok(ClaimAnswer::Granted)
            }
            Some(_) if self.is(Flaw::GrantsTwice) => Ok(ClaimAnswer::Granted),
            Some(entry) => {
                let left = entry.until.map(|until| until.saturating_duration_since(Instant::now()));
                let more = if self.is(Flaw::SaysTooMuchIsLeft) { 2 } else { 1 };
                Ok(ClaimAnswer::InProgress { lease_left: left.map(|left| left.saturating_mul(more)) })
            }
            None => {
                self.put(&claim, false, lease);
                Ok(ClaimAnswer::Granted)
            }
        }
    }

    async fn complete(&self, claim: Claim, keep_for: Duration) -> Result<Fence, StoreError> {
        self.refuses(keep_for)?;
        let _guard = self.lock.lock().await;
        match self.entry(&claim) {
            Some(entry) if entry.done && entry.token == *claim.token() => {
                let refuses = self.is(Flaw::RefusesRepeatedCompletions);
                return Ok(if refuses { Fence::Lost } else { Fence::Passed });
            }
            entry @ Some(Entry { done: true, .. }) if self.fences(entry, &claim, Flaw::CompletesOverDone) => {
                return Ok(Fence::Lost);
            }
            entry @ Some(Entry { done: false, .. })
                if self.fences(entry, &claim, Flaw::CompletesForStale) =>
            {
                return Ok(Fence::Lost);
            }
            None if self.is(Flaw::RefusesLateCompletions) => return Ok(Fence::Lost),
            _ => {}
        }
        if self.is(Flaw::ForgetsCompletions) {
            self.entries().remove(claim.identity().as_bytes());
        } else {
            self.put(&claim, true, keep_for);
        }
        Ok(Fence::Passed)
    }

    async fn extend(&self, claim: Claim, lease: Duration) -> Result<Fence, StoreError> {
        self.refuses(lease)?;
        let _guard = self.lock.lock().await;
        match self.entry(&claim) {
            Some(entry) if entry.done && !self.is(Flaw::ExtendsWhatIsDone) => return Ok(Fence::Lost),
            entry if self.fences(entry, &claim, Flaw::ExtendsForStale) => return Ok(Fence::Lost),
            _ => {}
        }
        if !self.is(Flaw::IgnoresExtensions) {
            self.put(&claim, false, lease);
        }
        Ok(Fence::Passed)
    }

    async fn release(&self, claim: Claim) -> Result<Fence, StoreError> {
        let _guard = self.lock.lock().await;
        let entry = self.entry(&claim);
        match entry {
            None => return Ok(Fence::Lost),
            Some(entry) if entry.done && !self.is(Flaw::ForgetsOnRelease) => return Ok(Fence::Lost),
            _ if self.fences(entry, &claim, Flaw::ReleasesForStale) => return Ok(Fence::Lost),
            _ => {}
        }
        if !self.is(Flaw::KeepsReleased) {
            self.entries().remove(&self.key(claim.identity()));
        }
        Ok(Fence::Passed)
    }
}

/// A time in milliseconds, as a number of 32 bits that overflowed.
fn low_bits(time: Duration) -> u32 {
    let [.., a, b, c, d] = time.as_millis().to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
