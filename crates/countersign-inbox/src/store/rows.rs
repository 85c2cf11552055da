//! What goes into the tables and comes out of them.

use std::time::Duration;

use bytes::Bytes;
use countersign::Identity;

use crate::{
    Entry, Filter, State, Stats, Stored, UnsignedHeaders,
    millis::{millis, since_epoch, time_of},
};

/// Which attempt holds a delivery: 16 bytes that no two attempts share.
pub(crate) type Token = [u8; 16];

/// A delivery to be stored.
#[derive(Clone, Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct Incoming {
    pub(crate) identity: Identity,
    pub(crate) sender: String,
    pub(crate) key_id: String,
    pub(crate) received_by: String,
    pub(crate) order_key: Option<Vec<u8>>,
    /// How long the sender may retry, in milliseconds: the identity is remembered at least that long.
    pub(crate) keep_for: i64,
    pub(crate) headers: String,
    pub(crate) body: Bytes,
}

/// A pending delivery that is due.
#[derive(Clone, Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct Candidate {
    pub(crate) id: i64,
    pub(crate) attempts: i64,
    pub(crate) order_key: Option<Vec<u8>>,
}

impl Candidate {
    pub(crate) fn new((id, attempts, order_key): (i64, i64, Option<Vec<u8>>)) -> Self {
        Self { id, attempts, order_key }
    }
}

/// A delivery that a worker holds.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) token: Token,
    pub(crate) stored: Stored,
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It is done, and remembered for so long.
    Done { keep_for: Duration },
    /// It is due again after a while.
    Retry { after: Duration, failure: String },
    /// It goes to the dead letters.
    Dead { failure: String },
    /// Another worker may take it at once, and the attempt does not count.
    HandedBack,
}

/// The end of an attempt.
#[derive(Clone, Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct Finish {
    pub(crate) id: i64,
    pub(crate) token: Token,
    pub(crate) order_key: Option<Vec<u8>>,
    pub(crate) ending: Ending,
}

impl Finish {
    pub(crate) fn state(&self) -> i32 {
        let state = match self.ending {
            Ending::Done { .. } => State::Done,
            Ending::Dead { .. } => State::Dead,
            Ending::Retry { .. } | Ending::HandedBack => State::Pending,
        };
        state.code()
    }

    /// Milliseconds from now until the row is due again.
    pub(crate) fn delay(&self) -> i64 {
        match self.ending {
            Ending::Done { keep_for: delay } | Ending::Retry { after: delay, .. } => millis(delay),
            Ending::Dead { .. } | Ending::HandedBack => 0,
        }
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        match &self.ending {
            Ending::Retry { failure, .. } | Ending::Dead { failure } => Some(failure),
            Ending::Done { .. } | Ending::HandedBack => None,
        }
    }

    /// How many attempts to take back.
    pub(crate) fn refund(&self) -> i64 {
        i64::from(matches!(self.ending, Ending::HandedBack))
    }
}

/// A setting of the database with which it may lose what it has committed.
#[derive(Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct NotDurable {
    pub(crate) setting: &'static str,
    pub(crate) value: String,
}

/// The rows that a [`Filter`] selects, in the form that the statements take.
#[derive(Debug)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct Selection {
    /// A bit for each [`State::code`].
    pub(crate) states: i64,
    pub(crate) id: Option<i64>,
    pub(crate) sender: Option<String>,
    pub(crate) received_from: i64,
    pub(crate) received_before: i64,
    /// Only rows after this id.
    pub(crate) after: i64,
    pub(crate) limit: i64,
}

impl Selection {
    pub(crate) fn new(filter: &Filter, states: i64, after: i64, limit: u32) -> Self {
        Self {
            states: filter.state_bits() & states,
            id: filter.id,
            sender: filter.sender.clone(),
            received_from: filter.received_from.map_or(i64::MIN, since_epoch),
            received_before: filter.received_before.map_or(i64::MAX, since_epoch),
            after,
            limit: i64::from(limit),
        }
    }
}

/// The columns of an [`Entry`], in its order.
pub(crate) type EntryRow =
    (i64, Vec<u8>, String, String, i64, String, Option<Vec<u8>>, i32, i64, i64, Option<String>, Option<i64>);

/// Pending, running, waiting, dead, finished, age of the oldest in milliseconds.
pub(crate) type StatsRow = (i64, i64, i64, i64, i64, Option<i64>);

impl From<EntryRow> for Entry {
    fn from(
        (
            id,
            identity,
            sender,
            key_id,
            received_at,
            received_by,
            order_key,
            state,
            due_at,
            attempts,
            failure,
            finished_at,
        ): EntryRow,
    ) -> Self {
        Self {
            id,
            identity: Identity::from_bytes(identity.try_into().unwrap_or_default()),
            sender,
            key_id,
            received_at: time_of(received_at),
            received_by,
            order_key,
            state: State::from_code(state),
            due_at: time_of(due_at),
            attempts: u32::try_from(attempts).unwrap_or(0),
            failure,
            finished_at: finished_at.map(time_of),
        }
    }
}

impl From<(EntryRow, String, Vec<u8>)> for Stored {
    fn from((entry, headers, body): (EntryRow, String, Vec<u8>)) -> Self {
        Self {
            entry: entry.into(),
            unsigned_headers: UnsignedHeaders::from_json(&headers),
            body: body.into(),
        }
    }
}

impl From<StatsRow> for Stats {
    fn from((pending, running, waiting, dead, finished, oldest): StatsRow) -> Self {
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        Self {
            pending: count(pending),
            running: count(running),
            waiting: count(waiting),
            dead: count(dead),
            finished: count(finished),
            oldest: oldest.map(|millis| Duration::from_millis(count(millis))),
        }
    }
}
