//! Verifiers that change while they run (feature `rotate`).

use std::{any::Any, fmt, sync::Arc};

use arc_swap::ArcSwap;

use crate::verifying::verifier::Verifier;

/// A value that can be replaced while others use it: a [`Verifier`] whose keys rotate without a restart, or whatever a service
/// makes of its configuration, such as a map from path to verifier. Clones share the value.
///
/// Both adapters' guards take a `Rotating<Verifier>` in place of a verifier. Reading it takes no lock. A verification that has begun
/// ends with the keys that it began with.
///
/// ```
/// use std::time::SystemTime;
/// use countersign::{BuildError, Rotating, Secret, Verifier, senders};
///
/// let with = |secrets: &[&'static str]| {
///     let builder = Verifier::builder(senders::extend());
///     let secret = |text| Secret::new(text).dangerously_accept_placeholder(); // public samples
///     secrets.iter().fold(builder, |builder, text| builder.secret(*text, secret(*text))).build()
/// };
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
///
/// let rotating = Rotating::new(with(&["old-secret"])?);
/// assert!(rotating.current().verify(&headers, b"{'test':'test2'}", SystemTime::now()).is_err());
///
/// rotating.replace(with(&["old-secret", "secret123"])?);
/// assert!(rotating.current().verify(&headers, b"{'test':'test2'}", SystemTime::now()).is_ok());
/// # Ok::<(), BuildError>(())
/// ```
pub struct Rotating<T = Verifier>(Arc<ArcSwap<T>>);

impl<T: 'static> Rotating<T> {
    /// Starts with this value.
    pub fn new(first: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(first)))
    }

    /// The value as it is now. It stays as it is when another one replaces it.
    pub fn current(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Replaces the value, for all clones, and returns the one before. Its secrets are wiped once nobody uses it any more.
    ///
    /// A [`Verifier`] counts on for the keys that the one before holds, too: [`Verifier::replacing`].
    pub fn replace(&self, mut next: T) -> Arc<T> {
        let before = self.0.load();
        let (next_value, before): (&mut dyn Any, &dyn Any) = (&mut next, &**before);
        if let (Some(next), Some(before)) = (next_value.downcast_mut::<Verifier>(), before.downcast_ref()) {
            *next = next.replacing(before);
        }
        self.0.swap(Arc::new(next))
    }

    #[cfg(feature = "bytes")]
    pub(crate) fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.0.load())
    }
}

impl<T> Clone for Rotating<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Rotating<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rotating").field(&self.current()).finish()
    }
}
