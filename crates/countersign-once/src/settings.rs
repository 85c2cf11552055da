//! The settings of a [`Once`](crate::Once).

use std::time::Duration;

/// How long a sender is assumed to retry if its retry time is unknown: 3 days.
pub const DEFAULT_RETRIES_FOR: Duration = Duration::from_secs(72 * 60 * 60);

/// What [`Once::begin`](crate::Once::begin) decides when the store gives no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnavailable {
    /// Refuse the delivery, so that its sender comes again: [`Decision::Unavailable`](crate::Decision::Unavailable).
    #[default]
    Refuse,
    /// Run the handler without a claim. Deliveries may then be handled twice, one after the other or at the same time.
    GoOn,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) lease: Duration,
    pub(crate) store_timeout: Duration,
    pub(crate) when_unavailable: WhenUnavailable,
    pub(crate) margin: Duration,
    pub(crate) keep_for: Option<Duration>,
}

impl Settings {
    pub(crate) fn keep_for(&self, retries_for: Option<Duration>) -> Duration {
        self.keep_for
            .unwrap_or_else(|| retries_for.unwrap_or(DEFAULT_RETRIES_FOR).saturating_add(self.margin))
    }
}
