use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{
    folder::{Folder, Found},
    record::Record,
};

/// The last deliveries, the newest of which are on disk as far as that works.
pub(crate) struct Deliveries {
    state: Mutex<State>,
    folder: Folder,
    /// Held while files are written, so that the newest state is the last on disk.
    writing: Mutex<()>,
    limits: Limits,
    /// The number of the last change.
    changes: watch::Sender<u64>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) deliveries: usize,
    /// Of bodies, in bytes.
    pub(crate) bytes: usize,
}

/// A delivery, and what its list says about it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) record: Arc<Record>,
    /// The number of its last change.
    pub(crate) changed: u64,
    pub(crate) body: Place,
    /// Whether the newest state is on disk.
    pub(crate) is_kept: bool,
}

/// Where a body is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Disk,
    Memory(Bytes),
    /// The disk was full, and the memory for that case as well; or it was never read.
    Nowhere,
}

/// What changed since a number.
pub(crate) struct Changes {
    pub(crate) last: u64,
    /// The smallest id that is still here.
    pub(crate) oldest: u64,
    pub(crate) entries: Vec<Entry>,
    pub(crate) disk_failure: Option<String>,
}

struct State {
    next: u64,
    changed: u64,
    entries: BTreeMap<u64, Entry>,
    /// Of all bodies.
    bytes: usize,
    /// Why the last write failed, if it did.
    disk_failure: Option<String>,
}

/// Limit on bodies in memory that are not on disk, in bytes.
const MEMORY: usize = 64 << 20;

impl Deliveries {
    /// Goes on with what is in the folder.
    pub(crate) fn new(folder: Folder, found: Found, limits: Limits) -> Self {
        let mut state = State { next: 1, changed: 0, entries: BTreeMap::new(), bytes: 0, disk_failure: None };
        for record in found.records {
            state.changed = state.changed.saturating_add(1);
            state.next = record.id.saturating_add(1);
            state.bytes = state.bytes.saturating_add(record.body_length);
            let body = if found.bodiless.contains(&record.id) { Place::Nowhere } else { Place::Disk };
            let (id, record) = (record.id, Arc::new(record));
            let entry = Entry { record, changed: state.changed, body, is_kept: true };
            state.entries.insert(id, entry);
        }
        let changes = watch::Sender::new(state.changed);
        let deliveries = Self { state: Mutex::new(state), folder, writing: Mutex::new(()), limits, changes };
        deliveries.evict();
        deliveries
    }

    /// Takes a delivery in, and returns the id that it gets. It is on disk after [`keep`](Self::keep).
    pub(crate) fn add(&self, mut record: Record, body: Option<Bytes>) -> u64 {
        let mut state = self.state();
        let id = state.next;
        record.id = id;
        state.next = id.saturating_add(1);
        state.bytes = state.bytes.saturating_add(record.body_length);
        let body = body.map_or(Place::Nowhere, Place::Memory);
        let changed = state.change();
        state.entries.insert(id, Entry { record: Arc::new(record), changed, body, is_kept: false });
        drop(state);
        self.changes.send_replace(changed);
        id
    }

    /// Changes a record, if it is still here. It is on disk after [`keep`](Self::keep).
    pub(crate) fn update(&self, id: u64, change: impl FnOnce(&mut Record)) {
        let mut state = self.state();
        let changed = state.change();
        if let Some(entry) = state.entries.get_mut(&id) {
            change(Arc::make_mut(&mut entry.record));
            entry.changed = changed;
            entry.is_kept = false;
        }
        drop(state);
        self.changes.send_replace(changed);
    }

    /// Writes what is not on disk yet, and removes what is too much. It waits for the disk.
    ///
    /// Returns why the disk fails if it did not before, or that it works again.
    pub(crate) fn keep(&self) -> Option<Result<(), String>> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.evict();
        let due: Vec<Entry> = self.state().entries.values().filter(|entry| !entry.is_kept).cloned().collect();
        let mut result = Ok(());
        for Entry { record, changed, body, .. } in due {
            let bytes = match &body {
                Place::Memory(bytes) => Some(&**bytes),
                Place::Disk | Place::Nowhere => None,
            };
            result = self.folder.keep(&record, bytes);
            if result.is_err() {
                break;
            }
            if let Some(entry) = self.state().entries.get_mut(&record.id) {
                entry.is_kept = entry.changed == changed;
                if matches!(entry.body, Place::Memory(_)) {
                    entry.body = Place::Disk;
                }
            }
        }
        let failure = result
            .err()
            .map(|error| format!("cannot keep deliveries in {}: {error}", self.folder.path().display()));
        drop(writing);
        self.note(failure)
    }

    pub(crate) fn get(&self, id: u64) -> Option<Entry> {
        self.state().entries.get(&id).cloned()
    }

    /// A part of a body, and `None` if it is not here. It waits for the disk.
    pub(crate) fn body(&self, id: u64, from: usize, length: usize) -> io::Result<Option<Bytes>> {
        let place = self.get(id).map(|entry| entry.body);
        match place {
            None | Some(Place::Nowhere) => Ok(None),
            Some(Place::Memory(bytes)) => {
                let from = from.min(bytes.len());
                let end = from.saturating_add(length).min(bytes.len());
                Ok(Some(bytes.slice(from..end)))
            }
            Some(Place::Disk) => {
                let (from, length) = (to_u64(from), to_u64(length));
                self.folder.body(id, from, length).map(|bytes| Some(bytes.into()))
            }
        }
    }

    /// The file of a body that is on disk.
    pub(crate) fn body_file(&self, id: u64) -> io::Result<PathBuf> {
        self.folder.absolute_body_file(id)
    }

    /// What changed after the change with this number.
    pub(crate) fn changes_after(&self, number: u64) -> Changes {
        let state = self.state();
        Changes {
            last: state.changed,
            oldest: state.entries.keys().next().copied().unwrap_or(state.next),
            entries: state.entries.values().filter(|entry| entry.changed > number).cloned().collect(),
            disk_failure: state.disk_failure.clone(),
        }
    }

    /// The number of the last change, as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn evict(&self) {
        let evicted = self.state().evict(self.limits);
        for id in evicted {
            self.folder.remove(id);
        }
    }

    fn note(&self, failure: Option<String>) -> Option<Result<(), String>> {
        let mut state = self.state();
        if failure.is_some() {
            state.bound_memory();
        }
        if state.disk_failure.is_some() == failure.is_some() {
            return None;
        }
        state.disk_failure.clone_from(&failure);
        let changed = state.change();
        drop(state);
        self.changes.send_replace(changed);
        Some(failure.map_or(Ok(()), Err))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn change(&mut self) -> u64 {
        self.changed = self.changed.saturating_add(1);
        self.changed
    }

    /// Forgets the oldest, but never the newest, and returns their ids.
    fn evict(&mut self, limits: Limits) -> Vec<u64> {
        let mut evicted = Vec::new();
        while self.entries.len() > limits.deliveries || (self.bytes > limits.bytes && self.entries.len() > 1)
        {
            let Some((id, entry)) = self.entries.pop_first() else { break };
            self.bytes = self.bytes.saturating_sub(entry.record.body_length);
            evicted.push(id);
        }
        evicted
    }

    /// Drops the oldest bodies that are in memory alone, if they are too much.
    fn bound_memory(&mut self) {
        let mut left = MEMORY;
        for entry in self.entries.values_mut().rev() {
            if let Place::Memory(bytes) = &entry.body {
                match left.checked_sub(bytes.len()) {
                    Some(rest) => left = rest,
                    None => entry.body = Place::Nowhere,
                }
            }
        }
    }
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
