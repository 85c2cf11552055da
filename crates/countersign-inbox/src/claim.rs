//! How a worker takes deliveries out of the inbox.

use std::collections::{HashMap, HashSet};

use crate::{
    StoreError,
    inbox::Shared,
    millis::millis,
    store::{Candidate, Claimed, Dialect},
    work_settings::WorkSettings,
};

/// What a look into the inbox brought.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) claimed: Vec<Claimed>,
    /// The one among them whose last attempt vanished.
    pub(crate) vanished: Option<i64>,
    /// Deliveries that became dead letters: their last attempt began and never ended.
    pub(crate) buried: Vec<Candidate>,
    /// Whether there may be more to take at once.
    pub(crate) more: bool,
}

/// Why an attempt that never ended made a dead letter.
pub(crate) const VANISHED: &str =
    "the last attempt never ended: its process died, or could not reach the database";

/// The most deliveries that a claim makes wait beside those that it looked at: few, so that its transaction is short.
const PARKED: usize = 1000;

/// Takes up to `limit` deliveries whose time has come, and at most one whose last attempt vanished, if `takes_vanished`.
///
/// A delivery that kills its process takes others with it. One by one, the innocent ones are handled and the guilty one shows.
pub(crate) async fn claim<DB: Dialect>(
    shared: &Shared<DB>,
    settings: &WorkSettings,
    limit: usize,
    takes_vanished: bool,
) -> Result<Claims, StoreError> {
    let claims =
        tokio::time::timeout(shared.timeout(), claim_within(shared, settings, limit, takes_vanished));
    claims.await.unwrap_or_else(|_| Err(StoreError::timed_out(shared.timeout())))
}

async fn claim_within<DB: Dialect>(
    shared: &Shared<DB>,
    settings: &WorkSettings,
    limit: usize,
    takes_vanished: bool,
) -> Result<Claims, StoreError> {
    let mut writing = shared.tables.write().await?;
    let connection = &mut *writing.transaction;
    DB::follow_indexes(connection).await?;
    let mut due = if takes_vanished { DB::due(connection, true, 1).await? } else { Vec::new() };
    let vanished = due.first().map(|row| row.id);
    let room = limit.saturating_sub(due.len());
    due.extend(DB::due(connection, false, i64::try_from(room).unwrap_or(i64::MAX)).await?);
    if due.is_empty() {
        return Ok(Claims { claimed: Vec::new(), vanished: None, buried: Vec::new(), more: false });
    }
    let mut more = due.len() == limit;
    let keyed: Vec<_> = due.iter().filter(|row| row.order_key.is_some()).map(|row| row.id).collect();
    let (turn, waiting) =
        if keyed.is_empty() { Default::default() } else { DB::turns(connection, &keyed).await? };
    let decided =
        |row: &Candidate| row.order_key.is_none() || turn.contains(&row.id) || waiting.contains(&row.id);
    let (parked, live): (Vec<_>, Vec<_>) =
        due.into_iter().filter(decided).partition(|row| waiting.contains(&row.id));
    let (buried, taken): (Vec<_>, Vec<_>) =
        live.into_iter().partition(|row| row.attempts >= i64::from(settings.max_attempts));
    if !parked.is_empty() {
        DB::park(connection, &ids(&parked)).await?;
    }
    if !buried.is_empty() {
        DB::bury(connection, &ids(&buried), VANISHED).await?;
    }
    // The later ones of these keys wait as well, at once: otherwise a long backlog of one key holds up the others.
    let last = last_of_each_key(&parked);
    let share = PARKED.checked_div(last.len()).unwrap_or_default().max(1);
    for (key, id) in last {
        DB::park_after(connection, key, id, i64::try_from(share).unwrap_or(i64::MAX)).await?;
    }
    let keys: HashSet<_> = parked.iter().chain(&buried).filter_map(|row| row.order_key.as_deref()).collect();
    for key in keys {
        DB::promote(connection, key).await?;
    }
    more |= !(parked.is_empty() && buried.is_empty());
    let mut claimed = Vec::new();
    if !taken.is_empty() {
        let ids = ids(&taken);
        let token = shared.tokens.next();
        DB::take(connection, &ids, &token, millis(settings.lease)).await?;
        let stored = DB::read(connection, &ids).await?;
        claimed = stored.into_iter().map(|stored| Claimed { token, stored }).collect();
    }
    writing.commit().await?;
    Ok(Claims { claimed, vanished, buried, more })
}

/// The order keys, each with the highest of its ids.
fn last_of_each_key(rows: &[Candidate]) -> HashMap<&[u8], i64> {
    let mut last = HashMap::new();
    for row in rows {
        if let Some(key) = row.order_key.as_deref() {
            let id = last.entry(key).or_insert(row.id);
            *id = row.id.max(*id);
        }
    }
    last
}

fn ids(rows: &[Candidate]) -> Vec<i64> {
    rows.iter().map(|row| row.id).collect()
}
