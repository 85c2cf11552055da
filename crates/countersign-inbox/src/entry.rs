//! What the inbox holds.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use countersign::Identity;

use crate::UnsignedHeaders;

/// A delivery in the inbox, without its content: what a list shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its number in the inbox. Later deliveries have higher ones.
    pub id: i64,
    /// Which delivery it is. Copies and retries have the same.
    pub identity: Identity,
    /// The sender's scheme, such as `moduslink`.
    pub sender: String,
    /// The id of the key that the signature was made with.
    pub key_id: String,
    /// When it was stored, by the database's clock.
    pub received_at: SystemTime,
    /// The [instance](crate::InboxBuilder::instance) that stored it.
    pub received_by: String,
    /// What [`order_by`](crate::InboxBuilder::order_by) gave for it.
    pub order_key: Option<Vec<u8>>,
    /// What has become of it.
    pub state: State,
    /// When a worker may take it, when the lease of the worker that has it runs out, or when it may be removed, as its state is.
    pub due_at: SystemTime,
    /// How many attempts began.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub failure: Option<String>,
    /// When it was done, given up or discarded.
    pub finished_at: Option<SystemTime>,
}

/// A delivery in the inbox with its content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stored {
    /// All but the content.
    pub entry: Entry,
    /// The headers that [`keep_headers`](crate::InboxBuilder::keep_headers) chose. No signature covers them.
    pub unsigned_headers: UnsignedHeaders,
    /// The body, exactly as it was signed.
    pub body: Bytes,
}

/// What has become of a delivery in the inbox.
///
/// `Display` and `FromStr` use the names in lower case: `pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// A worker may take it, now or after a pause.
    Pending,
    /// A worker has it.
    Running,
    /// It waits until an earlier delivery of the same order key is finished.
    Waiting,
    /// A handler succeeded.
    Done,
    /// A handler failed for good: it is a dead letter and waits for a person.
    Dead,
    /// A person decided that it need not be handled.
    Discarded,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Waiting, Self::Done, Self::Dead, Self::Discarded];

    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }

    /// The number in the tables. The tables keep a running delivery as a pending one that has a lease.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Waiting => 1,
            Self::Done => 2,
            Self::Dead => 3,
            Self::Discarded => 4,
            Self::Running => 5,
        }
    }

    pub(crate) fn bit(self) -> i64 {
        1 << self.code()
    }

    pub(crate) fn from_code(code: i32) -> Self {
        Self::ALL.into_iter().find(|state| state.code() == code).unwrap_or(Self::Pending)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or(UnknownState)
    }
}

/// A text names no [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownState;

impl fmt::Display for UnknownState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such state: use pending, running, waiting, done, dead or discarded")
    }
}

impl std::error::Error for UnknownState {}

/// Which deliveries in the inbox are meant. The default means all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    states: Option<Vec<State>>,
    pub(crate) id: Option<i64>,
    pub(crate) sender: Option<String>,
    pub(crate) received_from: Option<SystemTime>,
    pub(crate) received_before: Option<SystemTime>,
}

impl Filter {
    /// All deliveries.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only the delivery with this number.
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Only deliveries in this state. Call it again for another state as well.
    pub fn state(mut self, state: State) -> Self {
        self.states.get_or_insert_default().push(state);
        self
    }

    /// Only deliveries of this sender, by the name of its scheme.
    pub fn sender(mut self, name: impl Into<String>) -> Self {
        self.sender = Some(name.into());
        self
    }

    /// Only deliveries that were received at this time or later.
    pub fn received_from(mut self, time: SystemTime) -> Self {
        self.received_from = Some(time);
        self
    }

    /// Only deliveries that were received before this time.
    pub fn received_before(mut self, time: SystemTime) -> Self {
        self.received_before = Some(time);
        self
    }

    pub(crate) fn state_bits(&self) -> i64 {
        let states = self.states.as_deref().unwrap_or(&State::ALL);
        states.iter().fold(0, |bits, state| bits | state.bit())
    }
}

/// How full the inbox is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Deliveries that a worker may take, now or after a pause.
    pub pending: u64,
    /// Deliveries that a worker has.
    pub running: u64,
    /// Deliveries that wait for an earlier one of their order key.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// Deliveries that were done or discarded and are not removed yet.
    pub finished: u64,
    /// The age of the oldest delivery that is pending, running or waiting.
    pub oldest: Option<Duration>,
}
