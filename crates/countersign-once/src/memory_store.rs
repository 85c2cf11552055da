//! A store for one process (feature `memory`).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign::Identity;
use dashmap::{DashMap, Entry};
use moka::{Expiry, policy::EvictionPolicy, sync::Cache};

use crate::{Claim, ClaimAnswer, Fence, Store, StoreError, Token};

/// The longest that this store holds or remembers an identity.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
/// After how many grants the store removes holds whose lease ran out and for which nobody came again.
const GRANTS_BETWEEN_SWEEPS: u64 = 4096;

/// A store in memory, for one process: it forgets everything when the process ends.
///
/// It remembers at most a given number of handled deliveries, [`DEFAULT_CAPACITY`](Self::DEFAULT_CAPACITY) unless set, each
/// until its keep time runs out, at less than 400 bytes each. **Beyond that number it forgets the ones that were handled
/// first, before their time: a retry of such a delivery is handled again.** So choose the number of deliveries that arrive
/// while a sender may retry. Claims in progress are kept apart and never forgotten before their lease runs out; there are as
/// many as there are handlers running.
///
/// Clones share the memory. Time is a monotonic clock.
///
/// # Example
///
/// ```
/// use countersign_once::{MemoryStore, Once};
///
/// // A sender with 2,000 deliveries an hour that retries for a day.
/// let once = Once::new(MemoryStore::new(50_000))?;
/// # Ok::<(), countersign_once::BuildError>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Memory>);

struct Memory {
    held: DashMap<Identity, Hold>,
    done: Cache<Identity, Done>,
    grants: AtomicU64,
}

struct Hold {
    token: Token,
    until: Instant,
}

#[derive(Clone)]
struct Done {
    token: Token,
    keep_for: Duration,
}

impl MemoryStore {
    /// 100,000 deliveries: at most 40 MB.
    pub const DEFAULT_CAPACITY: u64 = 100_000;

    /// Remembers at most `capacity` handled deliveries. Zero remembers none, which leaves "at most once at a time".
    pub fn new(capacity: u64) -> Self {
        let done = Cache::builder()
            .name("countersign-once")
            .max_capacity(capacity)
            // The default policy may refuse a newcomer in favour of what is asked for more often.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(KeepTime)
            .build();
        Self(Arc::new(Memory { held: DashMap::new(), done, grants: AtomicU64::new(0) }))
    }

    /// About how many handled deliveries it remembers: maintenance that is under way may change it.
    pub fn remembered(&self) -> u64 {
        self.0.done.run_pending_tasks();
        self.0.done.entry_count()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl Store for MemoryStore {
    async fn claim(&self, claim: Claim, lease: Duration) -> Result<ClaimAnswer, StoreError> {
        Ok(self.0.claim(claim, lease))
    }

    async fn complete(&self, claim: Claim, keep_for: Duration) -> Result<Fence, StoreError> {
        Ok(self.0.complete(claim, keep_for))
    }

    async fn extend(&self, claim: Claim, lease: Duration) -> Result<Fence, StoreError> {
        Ok(self.0.extend(claim, lease))
    }

    async fn release(&self, claim: Claim) -> Result<Fence, StoreError> {
        Ok(self.0.release(claim))
    }
}

/// Each method works on the cache while it has the identity's entry of `held` locked: that makes its step atomic.
impl Memory {
    fn claim(&self, claim: Claim, lease: Duration) -> ClaimAnswer {
        let answer = match self.held.entry(*claim.identity()) {
            Entry::Occupied(mut held) => {
                let now = Instant::now();
                let left = held.get().until.saturating_duration_since(now);
                if !left.is_zero() {
                    return ClaimAnswer::InProgress { lease_left: Some(left) };
                }
                held.insert(Hold::new(&claim, now, lease));
                ClaimAnswer::Granted
            }
            Entry::Vacant(_) if self.done.contains_key(claim.identity()) => ClaimAnswer::Done,
            Entry::Vacant(free) => {
                free.insert(Hold::new(&claim, Instant::now(), lease));
                ClaimAnswer::Granted
            }
        };
        if answer == ClaimAnswer::Granted {
            self.sweep_sometimes();
        }
        answer
    }

    fn complete(&self, claim: Claim, keep_for: Duration) -> Fence {
        let done = Done { token: *claim.token(), keep_for: keep_for.min(LONGEST) };
        match self.held.entry(*claim.identity()) {
            Entry::Occupied(held) if held.get().fences(&claim) => return Fence::Lost,
            Entry::Occupied(held) => {
                self.done.insert(*claim.identity(), done);
                held.remove();
            }
            Entry::Vacant(_) => match self.done.get(claim.identity()) {
                Some(before) if before.token != done.token => return Fence::Lost,
                _ => self.done.insert(*claim.identity(), done),
            },
        }
        Fence::Passed
    }

    fn extend(&self, claim: Claim, lease: Duration) -> Fence {
        match self.held.entry(*claim.identity()) {
            Entry::Occupied(held) if held.get().fences(&claim) => return Fence::Lost,
            Entry::Occupied(mut held) => {
                held.insert(Hold::new(&claim, Instant::now(), lease));
            }
            Entry::Vacant(_) if self.done.contains_key(claim.identity()) => return Fence::Lost,
            Entry::Vacant(free) => {
                free.insert(Hold::new(&claim, Instant::now(), lease));
            }
        }
        Fence::Passed
    }

    fn release(&self, claim: Claim) -> Fence {
        match self.held.remove_if(claim.identity(), |_, held| held.token == *claim.token()) {
            Some(_) => Fence::Passed,
            None => Fence::Lost,
        }
    }

    fn sweep_sometimes(&self) {
        if self.grants.fetch_add(1, Ordering::Relaxed) % GRANTS_BETWEEN_SWEEPS == GRANTS_BETWEEN_SWEEPS - 1 {
            let now = Instant::now();
            self.held.retain(|_, held| held.until > now);
        }
    }
}

impl Hold {
    fn new(claim: &Claim, now: Instant, lease: Duration) -> Self {
        let until = now.checked_add(lease.min(LONGEST)).unwrap_or(now);
        Self { token: *claim.token(), until }
    }

    /// Whether this hold is another attempt's and still runs.
    fn fences(&self, claim: &Claim) -> bool {
        self.token != *claim.token() && self.until > Instant::now()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("held", &self.0.held.len())
            .field("done", &self.0.done.entry_count())
            .finish()
    }
}

/// Each entry has a keep time of its own.
struct KeepTime;

impl Expiry<Identity, Done> for KeepTime {
    fn expire_after_create(&self, _: &Identity, done: &Done, _: Instant) -> Option<Duration> {
        Some(done.keep_for)
    }

    fn expire_after_update(
        &self,
        _: &Identity,
        done: &Done,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(done.keep_for)
    }
}
