//! Why a delivery is rejected.

use std::fmt;

use crate::{
    explain::{advice::advice, cause::Cause},
    keys::key::KeyId,
    verdicts::rejection::Rejection,
};

/// Why a delivery is rejected, or that it is not. `Display` is a text of several lines for the operator.
///
/// It contains no secret, no computed signature and no byte of the delivery.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub(crate) rejection: Option<Rejection>,
    pub(crate) causes: Vec<Cause>,
    pub(crate) key: Option<KeyId>,
    pub(crate) is_complete: bool,
}

impl Explanation {
    /// The verifier's rejection; `None` if it verifies the delivery.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// What to do about the rejection's reason; `None` if the delivery verifies.
    pub fn advice(&self) -> Option<&'static str> {
        self.rejection.as_ref().map(|rejection| advice(rejection.kind()))
    }

    /// The mistakes that together explain the rejection, the most telling first.
    ///
    /// Empty for a delivery that verifies, and for a rejection that its reason alone explains.
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// The key that made the signature, once the mistakes are undone; `None` if no key that was given did.
    pub fn key(&self) -> Option<&KeyId> {
        self.key.as_ref()
    }

    /// Whether the causes are proven: undone together, they make the signature right. Others are only likely.
    pub fn is_proven(&self) -> bool {
        self.key.is_some()
    }

    /// Whether every hypothesis was tried. A large body can use up the budget before.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rejection {
            None => write!(f, "verified")?,
            Some(rejection) => {
                write!(f, "rejected as {}: {rejection}", rejection.kind().as_str())?;
                write!(f, "\n  what to do: {}", advice(rejection.kind()))?;
            }
        }
        if let Some(key) = &self.key {
            write!(f, "\n  key: {key}")?;
        }
        for cause in &self.causes {
            write!(f, "\n  {}: {cause}", if self.is_proven() { "cause" } else { "likely" })?;
        }
        if !self.is_complete {
            write!(f, "\n  not every hypothesis was tried: the body is too large")?;
        }
        Ok(())
    }
}
