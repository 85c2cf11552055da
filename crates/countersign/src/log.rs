//! What is told of each verdict and key: events and span fields (feature `tracing`), and metrics (feature `metrics`).

use std::{fmt::Display, time::SystemTime};

#[cfg(all(feature = "bytes", feature = "metrics"))]
use crate::metrics::{BODY_BUDGET, BODY_BUDGET_LEFT};
#[cfg(feature = "metrics")]
use crate::metrics::{KEY_ACTIVE, KEY_EXPIRES, KEY_LAST_MATCHED, KEY_LAST_NEEDED};

/// A delivery was verified.
#[inline]
pub(crate) fn verified(sender: &str, tenant: Option<&str>, key: &str) {
    #[cfg(feature = "tracing")]
    {
        tracing::debug!(target: "countersign", sender, tenant, key, "delivery verified");
        if let Some(span) = span() {
            span.record("webhook.verdict", "verified")
                .record("webhook.sender", sender)
                .record("webhook.key", key);
        }
    }
    #[cfg(feature = "metrics")]
    crate::metrics::verified(sender, key);
}

/// What is told of a rejection.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only events name the tenant"))]
pub(crate) struct Rejected<'r> {
    pub(crate) sender: &'r str,
    pub(crate) reason: &'static str,
    /// Only in events: whoever calls chooses it, so it is no label of a metric.
    pub(crate) tenant: Option<&'r str>,
    /// The inactive key that made the signature.
    pub(crate) key: Option<&'r str>,
}

/// A delivery was rejected. `rejected` is asked only if somebody listens.
#[inline]
pub(crate) fn rejected<'r>(rejected: impl Fn() -> Rejected<'r>, text: &impl Display) {
    #[cfg(feature = "tracing")]
    {
        tracing::warn!(
            target: "countersign",
            sender = rejected().sender,
            reason = rejected().reason,
            tenant = rejected().tenant,
            key = rejected().key,
            "delivery rejected: {text}"
        );
        if let Some(span) = span() {
            let Rejected { sender, reason, key, .. } = rejected();
            span.record("webhook.verdict", "rejected")
                .record("webhook.sender", sender)
                .record("webhook.reason", reason)
                .record("webhook.key", key);
        }
    }
    #[cfg(feature = "metrics")]
    {
        let Rejected { sender, reason, key, .. } = rejected();
        crate::metrics::rejected(sender, reason, key.unwrap_or_default());
    }
}

/// A body has arrived completely.
#[inline]
pub(crate) fn body_received(bytes: usize) {
    #[cfg(feature = "tracing")]
    if let Some(span) = span() {
        span.record("webhook.body.size", bytes);
    }
}

/// The current span, unless there is none. It takes the fields that it declares.
#[cfg(feature = "tracing")]
#[inline]
fn span() -> Option<tracing::Span> {
    use tracing::{Span, level_filters::LevelFilter};

    (LevelFilter::current() != LevelFilter::OFF).then(Span::current)
}

/// What a body budget has left. `left` is read until it stays the same, so that of several threads the last one to show it is right.
#[cfg(feature = "bytes")]
pub(crate) fn budget(name: &str, bytes: usize, left: impl Fn() -> usize) {
    #[cfg(feature = "metrics")]
    {
        crate::metrics::budget(BODY_BUDGET, name, bytes);
        let mut shown = left();
        loop {
            crate::metrics::budget(BODY_BUDGET_LEFT, name, shown);
            let now = left();
            if now == shown {
                break;
            }
            shown = now;
        }
    }
}

/// When a key last made a signature, and when one was last needed, in seconds since 1970.
pub(crate) fn last_use(sender: &str, key: &str, matched: u64, needed: u64) {
    #[cfg(feature = "metrics")]
    {
        crate::metrics::key(KEY_LAST_MATCHED, sender, key, matched);
        crate::metrics::key(KEY_LAST_NEEDED, sender, key, needed);
    }
}

/// A verifier holds a key that expires then, in seconds since 1970, or never, which is 0.
pub(crate) fn holds_key(sender: &str, key: &str, is_active: bool, expires: u64) {
    #[cfg(feature = "metrics")]
    {
        crate::metrics::holds(sender, key);
        crate::metrics::key(KEY_ACTIVE, sender, key, is_active.into());
        crate::metrics::key(KEY_EXPIRES, sender, key, expires);
    }
}

/// A verifier no longer holds a key.
pub(crate) fn holds_key_no_longer(sender: &str, key: &str) {
    #[cfg(feature = "metrics")]
    {
        crate::metrics::key(KEY_ACTIVE, sender, key, 0);
        crate::metrics::key(KEY_EXPIRES, sender, key, 0);
    }
}

/// A key expires soon, and leaves its sender without an active key, or not.
pub(crate) fn expires_soon(sender: &str, key: &str, expires_at: SystemTime, leaves_none: bool) {
    #[cfg(feature = "tracing")]
    {
        let expires_at = crate::wire::timestamp::to_rfc_3339(expires_at);
        if leaves_none {
            tracing::warn!(
                target: "countersign",
                sender,
                key,
                expires_at,
                "the only active webhook key expires soon: every delivery is rejected from then on"
            );
        } else {
            tracing::warn!(target: "countersign", sender, key, expires_at, "a webhook key expires soon");
        }
    }
}
