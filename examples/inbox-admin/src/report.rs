use std::fmt;

use countersign_inbox::{Entry, Stats};
use serde_json::{Value, json};

use crate::Instant;

/// What a command prints: for people through `Display`, for machines as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r, T>(pub &'r T);

impl fmt::Display for Report<'_, Stats> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { pending, running, waiting, dead, finished, oldest, .. } = self.0;
        write!(
            f,
            "pending {pending}, running {running}, waiting {waiting}, dead {dead}, finished {finished}"
        )?;
        oldest.map_or(Ok(()), |age| write!(f, "; the oldest unfinished one is {} s old", age.as_secs()))
    }
}

impl Report<'_, Stats> {
    /// An object with a number for each state.
    pub fn json(&self) -> Value {
        let Stats { pending, running, waiting, dead, finished, oldest, .. } = self.0;
        let oldest = oldest.map(|age| age.as_secs());
        json!({ "pending": pending, "running": running, "waiting": waiting, "dead": dead, "finished": finished,
            "oldest_seconds": oldest })
    }
}

impl fmt::Display for Report<'_, Entry> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.0;
        let (received, state) = (Instant(entry.received_at), entry.state);
        write!(f, "{}  {received}  {state}  {}  attempts {}", entry.id, entry.sender, entry.attempts)?;
        // Escaped: a handler's error may repeat what a sender wrote, and a terminal obeys control characters.
        entry.failure.as_ref().map_or(Ok(()), |failure| write!(f, "  {}", failure.escape_debug()))
    }
}

impl Report<'_, Entry> {
    /// An object with all that is known of the entry but its content.
    pub fn json(&self) -> Value {
        let entry = self.0;
        json!({
            "id": entry.id,
            "identity": entry.identity.to_string(),
            "sender": entry.sender,
            "key_id": entry.key_id,
            "received_at": Instant(entry.received_at).to_string(),
            "received_by": entry.received_by,
            "order_key": entry.order_key.as_ref().map(|key| String::from_utf8_lossy(key).into_owned()),
            "state": entry.state.as_str(),
            "due_at": Instant(entry.due_at).to_string(),
            "attempts": entry.attempts,
            "failure": entry.failure,
            "finished_at": entry.finished_at.map(|time| Instant(time).to_string()),
        })
    }
}
