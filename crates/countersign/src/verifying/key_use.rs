//! How often each key was used.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    keys::{key::KeyId, usage::Counted},
    verifying::verifier::Verifier,
};

/// The use of one key until the moment of [`Verifier::key_use`]. It shows no secret.
///
/// A key *matches* a delivery if it made one of its signatures. A delivery *needs* the key if it was verified and no other active key
/// made one of its signatures: without the key, it would have been rejected. While a sender signs with both the old and the new key,
/// as Stripe does, both match and neither is needed.
#[derive(Clone)]
pub struct KeyUse {
    sender: Arc<str>,
    key: KeyId,
    matched: Counted,
    needed: Counted,
}

impl Verifier {
    /// The use of each key, in the order in which they were set up. A key that never matched is among them.
    ///
    /// All clones of a verifier count together. A verifier that [replaces](Self::replacing) another counts on for the keys that both
    /// hold. A new process begins at zero.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use countersign::{Secret, Verifier, senders};
    ///
    /// let secret = |text| Secret::new(text).dangerously_accept_placeholder(); // public samples
    /// let verifier = Verifier::builder(senders::extend())
    ///     .secret("old", secret("secret123"))
    ///     .secret("new", secret("secret456"))
    ///     .build()?;
    /// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
    /// verifier.verify(&headers, b"{'test':'test2'}", SystemTime::now())?;
    ///
    /// let times: Vec<_> = verifier.key_use().map(|key| (key.key().to_string(), key.matched())).collect();
    /// assert_eq!(times, [("old".to_owned(), 1), ("new".to_owned(), 0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key_use(&self) -> impl Iterator<Item = KeyUse> {
        self.keys().map(|(sender, key)| KeyUse {
            sender: sender.into(),
            key: key.id.clone(),
            matched: key.usage.matched(),
            needed: key.usage.needed(),
        })
    }
}

impl KeyUse {
    /// The name of the sender's scheme.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// The id of the key.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// How many deliveries the key matched: those verified, and those rejected only because no key that matched was active.
    pub fn matched(&self) -> u64 {
        self.matched.times
    }

    /// When the key last matched, by the receiver's clock, to the second; `None` if it never did.
    pub fn last_matched(&self) -> Option<SystemTime> {
        self.matched.last
    }

    /// How many verified deliveries needed the key.
    pub fn needed(&self) -> u64 {
        self.needed.times
    }

    /// When a verified delivery last needed the key, to the second; `None` if none did.
    pub fn last_needed(&self) -> Option<SystemTime> {
        self.needed.last
    }
}

impl fmt::Debug for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyUse")
            .field("sender", &self.sender())
            .field("key", self.key())
            .field("matched", &self.matched())
            .field("last_matched", &self.last_matched())
            .field("needed", &self.needed())
            .field("last_needed", &self.last_needed())
            .finish()
    }
}
