use std::{error::Error, fmt, iter, time::Duration};

use crate::ResolveError;

/// Why a lookup came to nothing.
pub(crate) enum Failure {
    Resolver(ResolveError),
    Panicked,
    TimedOut(Duration),
    TooMany(usize),
    NoRuntime,
}

/// With the causes of an error of the resolver.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolver(error) => {
                write!(f, "{error}")?;
                iter::successors(error.source(), |cause| Error::source(*cause))
                    .try_for_each(|cause| write!(f, ": {cause}"))
            }
            Self::Panicked => f.write_str("the resolver panicked"),
            Self::TimedOut(limit) => write!(f, "the resolver did not answer within {limit:?}"),
            Self::TooMany(most) => write!(f, "{most} lookups are under way"),
            Self::NoRuntime => f.write_str("lookups need a Tokio runtime"),
        }
    }
}
