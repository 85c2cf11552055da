//! Where a guard takes its verifier from.

use std::fmt;

#[cfg(feature = "rotate")]
use crate::verifying::rotating::Rotating;
use crate::verifying::verifier::Verifier;

/// Where an adapter's guard takes its verifier from: a [`Verifier`], or with the feature `rotate` a `Rotating<Verifier>`.
#[derive(Clone)]
pub struct VerifierSource(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(Verifier),
    #[cfg(feature = "rotate")]
    Rotating(Rotating),
}

impl VerifierSource {
    /// Calls `read` with the verifier as it is now.
    pub fn with<R>(&self, read: impl FnOnce(&Verifier) -> R) -> R {
        match &self.0 {
            Kind::Fixed(verifier) => read(verifier),
            #[cfg(feature = "rotate")]
            Kind::Rotating(rotating) => rotating.with(read),
        }
    }
}

impl From<Verifier> for VerifierSource {
    fn from(verifier: Verifier) -> Self {
        Self(Kind::Fixed(verifier))
    }
}

#[cfg(feature = "rotate")]
impl From<Rotating> for VerifierSource {
    fn from(rotating: Rotating) -> Self {
        Self(Kind::Rotating(rotating))
    }
}

impl fmt::Debug for VerifierSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|verifier| verifier.fmt(f))
    }
}
