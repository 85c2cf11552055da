use std::time::Duration;

/// Lookups that may wait for their turn, beside those that run. Each holds some hundred bytes.
const MOST_WAITING: usize = 1024;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) unknown_ttl: Duration,
    pub(crate) failure_ttl: Duration,
    pub(crate) lookup_timeout: Duration,
    pub(crate) concurrent_lookups: usize,
    pub(crate) most_tenants: u64,
    pub(crate) most_refused: u64,
    pub(crate) longest_name: usize,
}

impl Settings {
    pub(crate) fn most_lookups(&self) -> usize {
        self.concurrent_lookups.saturating_add(MOST_WAITING)
    }
}
