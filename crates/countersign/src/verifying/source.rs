//! Where a guard takes its verifier from.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::SystemTime};

#[cfg(feature = "rotate")]
use crate::verifying::rotating::Rotating;
use crate::{
    verdicts::rejection::Rejection,
    verifying::{buffered::BufferedVerification, verifier::Verifier},
    wire::headers::Headers,
};

/// Where an adapter's guard takes its verifier from: a [`Verifier`], with the feature `rotate` a `Rotating<Verifier>`, or whatever
/// chooses one for each request, such as the `Tenants` of the crate `countersign-tenants`.
#[derive(Clone)]
pub struct VerifierSource(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(Verifier),
    #[cfg(feature = "rotate")]
    Rotating(Rotating),
    Chosen(Arc<dyn ChooseVerifier>),
}

/// Chooses the verifier of each request by its head.
pub trait ChooseVerifier: fmt::Debug + Send + Sync {
    /// Chooses the verifier for the request with this head. No byte of the body is read before there is one.
    fn choose(&self, head: &dyn Headers) -> Choice;
}

/// The verifier for one request, or the rejection of a request that gets none.
pub enum Choice {
    /// It is at hand.
    Now(Result<Verifier, Rejection>),
    /// It has to be waited for. The future may be dropped at any time: the client may go away.
    Later(Choosing),
}

/// A choice that takes time.
pub type Choosing = Pin<Box<dyn Future<Output = Result<Verifier, Rejection>> + Send>>;

/// The begin of a verification.
#[expect(clippy::large_enum_variant, reason = "a box would cost every delivery an allocation")]
pub(crate) enum Begun {
    Now(Result<BufferedVerification, Rejection>),
    Later(Choosing),
}

impl VerifierSource {
    /// A verifier that is chosen for each request.
    pub fn chosen_by(choose: impl ChooseVerifier + 'static) -> Self {
        Self(Kind::Chosen(Arc::new(choose)))
    }

    /// The lower-case names of the headers that every verification reads, for an adapter that parses them once. None if the
    /// verifier is chosen for each request.
    pub fn header_names(&self) -> Vec<String> {
        let names = |verifier: &Verifier| verifier.header_names().map(str::to_owned).collect();
        match &self.0 {
            Kind::Fixed(verifier) => names(verifier),
            #[cfg(feature = "rotate")]
            Kind::Rotating(rotating) => rotating.with(names),
            Kind::Chosen(_) => Vec::new(),
        }
    }

    /// Tells the operator how the keys are: [`Verifier::report_keys`]. A verifier that is chosen for each request does so as its
    /// deliveries arrive.
    pub fn report_keys(&self, now: SystemTime) {
        match &self.0 {
            Kind::Fixed(verifier) => verifier.report_keys(now),
            #[cfg(feature = "rotate")]
            Kind::Rotating(rotating) => rotating.with(|verifier| verifier.report_keys(now)),
            Kind::Chosen(_) => {}
        }
    }

    /// Begins with the verifier as it is now.
    #[inline]
    pub(crate) fn begin(&self, headers: &(impl Headers + ?Sized), now: SystemTime) -> Begun {
        match &self.0 {
            Kind::Fixed(verifier) => Begun::Now(verifier.begin_buffered(headers, now)),
            #[cfg(feature = "rotate")]
            Kind::Rotating(rotating) => {
                Begun::Now(rotating.with(|verifier| verifier.begin_buffered(headers, now)))
            }
            Kind::Chosen(choose) => match choose.choose(&headers) {
                Choice::Now(chosen) => {
                    Begun::Now(chosen.and_then(|verifier| verifier.begin_buffered(headers, now)))
                }
                Choice::Later(choosing) => Begun::Later(choosing),
            },
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
        match &self.0 {
            Kind::Fixed(verifier) => verifier.fmt(f),
            #[cfg(feature = "rotate")]
            Kind::Rotating(rotating) => rotating.with(|verifier| verifier.fmt(f)),
            Kind::Chosen(choose) => choose.fmt(f),
        }
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(chosen) => f.debug_tuple("Now").field(chosen).finish(),
            Self::Later(_) => f.debug_tuple("Later").finish_non_exhaustive(),
        }
    }
}
