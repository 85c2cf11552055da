//! One try: whether a key made the signature, under a scheme, of a head and a body.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use crate::{
    keys::{
        key::{Key, KeyId, Period},
        secret::SecretForm,
    },
    schemes::scheme::{ContentEncoding, Scheme},
    verdicts::{profile::Profile, tenancy::Tenancy},
    verifying::{
        key_state::KeyState,
        sender::{Admitted, Sender},
    },
    wire::{
        headers::{Headers, Occurrence, occurrence},
        timestamp::Tolerance,
    },
};

/// Limit on the work of one explanation, in bytes hashed.
const MOST_HASHED: usize = 256 << 20;

/// The least that a try costs, in bytes: making the key and reading the head.
const LEAST_COST: usize = 4 << 10;

/// The work that is left.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(MOST_HASHED)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Whether a try with this body is still within the budget.
    pub(crate) fn take(&mut self, body: &[u8]) -> bool {
        self.0 = self.0.saturating_sub(body.len().max(LEAST_COST));
        !self.is_spent()
    }
}

/// A scheme with one key, always active, and with every check of the head that says nothing about the signature left out.
pub(crate) struct Probe(Sender);

impl Probe {
    /// `None` if the scheme or the key does not build.
    pub(crate) fn new(mut scheme: Scheme, key: &Key, form: Option<&SecretForm>) -> Option<Self> {
        if let Some(timestamp) = &mut scheme.timestamp {
            timestamp.tolerance = Tolerance::dangerously_unlimited();
        }
        scheme.content_encoding = ContentEncoding::Wire;
        if let Some(form) = form {
            scheme.secret_form = form.clone();
        }
        let (scheme, content) = scheme.checked().ok()?;
        let ring = scheme.key_rules().ring(std::slice::from_ref(key)).ok()?;
        let signature_lengths = ring.signature_lengths();
        let profile = Arc::new(Profile {
            scheme,
            keys: vec![KeyId::from("probe")],
            body_limit: usize::MAX,
            tenancy: Tenancy::Own,
        });
        let keys = vec![KeyState { period: Period::default(), ..KeyState::of(key) }];
        Some(Self(Sender {
            profile,
            content,
            keys,
            ring,
            signature_lengths,
            warn_before_expiry: Duration::ZERO,
            reported: AtomicU64::new(0),
        }))
    }

    /// Whether the key made the signature in this head over this body. Logs nothing, unlike a verifier.
    pub(crate) fn matches(&self, head: &dyn Headers, body: &[u8], now: SystemTime) -> bool {
        let Some(Admitted { claimed, parts, mut covered, .. }) = self.admit(head, now) else { return false };
        let mut running = self.0.ring.start(&claimed);
        if let Some(parts) = &parts {
            running.update(parts.before_body());
        }
        covered.update(body, &mut *running);
        let is_covered = covered.finish(&mut *running).unwrap_or(false);
        if let Some(parts) = &parts {
            running.update(parts.after_body());
        }
        let made = running.finish(&claimed).made_by_key;
        is_covered && made.contains(&true)
    }

    /// The instant that the head's timestamp names.
    pub(crate) fn timestamp(&self, head: &dyn Headers, now: SystemTime) -> Option<SystemTime> {
        self.admit(head, now)?.timestamp
    }

    fn admit(&self, head: &dyn Headers, now: SystemTime) -> Option<Admitted> {
        match occurrence(head, self.0.scheme().header_name()) {
            Occurrence::Once(value) => self.0.admit(head, value, now).ok(),
            Occurrence::Never | Occurrence::Repeated => None,
        }
    }
}
