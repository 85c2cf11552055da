use serde::Serialize;

use crate::listen::{
    deliveries::{Entry, Place},
    record::{Origin, Record},
};

/// A line of the page's list.
#[derive(Serialize)]
pub(super) struct Summary<'e> {
    id: u64,
    at: u64,
    origin: Origin,
    method: &'e str,
    target: &'e str,
    is_verified: bool,
    sender: Option<&'e str>,
    reason: Option<&'e str>,
    /// The likeliest cause, or else what to do.
    diagnosis: Option<&'e str>,
    body_length: usize,
    is_kept: bool,
    attempts: usize,
    status: Option<u16>,
    failure: Option<&'e str>,
    took_ms: Option<u64>,
}

/// All about a delivery but its body.
#[derive(Serialize)]
pub(super) struct Detail<'e> {
    #[serde(flatten)]
    record: &'e Record,
    is_kept: bool,
    has_body: bool,
}

impl<'e> Summary<'e> {
    pub(super) fn new(entry: &'e Entry) -> Self {
        let record = &*entry.record;
        let verdict = &record.verdict;
        let last = record.attempts.last();
        let cause = verdict.causes.first().map(|cause| &*cause.message);
        Self {
            id: record.id,
            at: record.at,
            origin: record.origin,
            method: &record.method,
            target: &record.target,
            is_verified: verdict.is_verified,
            sender: verdict.sender.as_deref(),
            reason: verdict.reason.as_deref(),
            diagnosis: cause.or(verdict.advice.as_deref()),
            body_length: record.body_length,
            is_kept: entry.is_kept,
            attempts: record.attempts.len(),
            status: last.and_then(|attempt| attempt.status),
            failure: last.and_then(|attempt| attempt.failure.as_deref()),
            took_ms: last.map(|attempt| attempt.took_ms),
        }
    }
}

impl<'e> Detail<'e> {
    pub(super) fn new(entry: &'e Entry) -> Self {
        let has_body = !matches!(entry.body, Place::Nowhere);
        Self { record: &entry.record, is_kept: entry.is_kept, has_body }
    }
}
