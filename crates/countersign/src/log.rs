//! What is told of each verdict and key: events and span fields (feature `tracing`), and metrics (feature `metrics`).

use std::{fmt::Display, time::SystemTime};

#[cfg(all(feature = "bytes", feature = "metrics"))]
use crate::metrics::{BODY_BUDGET, BODY_BUDGET_LEFT};
#[cfg(feature = "metrics")]
use crate::metrics::{KEY_ACTIVE, KEY_EXPIRES, KEY_LAST_MATCHED, KEY_LAST_NEEDED};

/// A delivery was verified.
#[inline]
pub(crate) fn verified(sender: &str, key: &str) {
    #[cfg(feature = "tracing")]
    if let Some(span) = span() {
        tracing::debug!(target: "countersign", sender, key, "delivery verified");
        span.record("webhook.verdict", "verified")
            .record("webhook.sender", sender)
            .record("webhook.key", key);
    }
    #[cfg(feature = "metrics")]
    crate::metrics::verified(sender, key);
}

/// A delivery was rejected. An inactive key may have made the signature.
#[inline]
pub(crate) fn rejected(sender: &str, reason: &'static str, key: Option<&str>, rejection: &impl Display) {
    #[cfg(feature = "tracing")]
    if let Some(span) = span() {
        tracing::warn!(target: "countersign", sender, reason, key, "delivery rejected: {rejection}");
        span.record("webhook.verdict", "rejected")
            .record("webhook.sender", sender)
            .record("webhook.reason", reason)
            .record("webhook.key", key);
    }
    #[cfg(feature = "metrics")]
    crate::metrics::rejected(sender, reason, key.unwrap_or_default());
}

/// A body has arrived completely.
#[inline]
pub(crate) fn body_received(bytes: usize) {
    #[cfg(feature = "tracing")]
    if let Some(span) = span() {
        span.record("webhook.body.size", bytes);
    }
}

/// The current span, unless nobody listens to anything. It takes the fields that it declares.
#[cfg(feature = "tracing")]
#[inline]
fn span() -> Option<tracing::Span> {
    let is_off = tracing::level_filters::LevelFilter::current() == tracing::level_filters::LevelFilter::OFF;
    (!is_off).then(tracing::Span::current)
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

/// Whether anybody hears [`expires_soon`].
pub(crate) fn is_heard() -> bool {
    #[cfg(feature = "tracing")]
    return tracing::enabled!(target: "countersign", tracing::Level::WARN);
    #[cfg(not(feature = "tracing"))]
    false
}
