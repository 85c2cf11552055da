use std::fmt;

use countersign::VerifiedDelivery;

/// A verified body and the name of the scheme that verified it: what an event is made from.
///
/// Only a [`VerifiedDelivery`] becomes one, and, with the feature `inbox`, a delivery that a worker takes out of an inbox, which
/// verified deliveries alone get into.
#[derive(Clone, Copy)]
pub struct SignedBody<'d> {
    scheme: &'d str,
    bytes: &'d [u8],
}

impl<'d> SignedBody<'d> {
    /// The name of the scheme that verified the body, as [`Scheme::name`](countersign::Scheme::name) gives it.
    pub fn scheme(&self) -> &'d str {
        self.scheme
    }

    /// The body, exactly as it was signed.
    pub fn bytes(&self) -> &'d [u8] {
        self.bytes
    }
}

impl<'d> From<&'d VerifiedDelivery> for SignedBody<'d> {
    fn from(delivery: &'d VerifiedDelivery) -> Self {
        Self { scheme: delivery.scheme().name(), bytes: delivery.body() }
    }
}

#[cfg(feature = "inbox")]
impl<'d, DB: countersign_inbox::Dialect> From<&'d countersign_inbox::Delivery<DB>> for SignedBody<'d> {
    fn from(delivery: &'d countersign_inbox::Delivery<DB>) -> Self {
        Self { scheme: delivery.sender(), bytes: delivery.body() }
    }
}

/// Without the bytes, which may be personal data.
impl fmt::Debug for SignedBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedBody")
            .field("scheme", &self.scheme)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
