use countersign::VerifiedDelivery;

use crate::{EventError, SignedBody};

/// Makes a type from a verified delivery: each sender's `Event`, or a type of your own.
///
/// For another sender, call [`json`](crate::json) with the names of the sender's schemes:
///
/// ```
/// use countersign_events::{EventError, FromDelivery, SignedBody, json};
///
/// #[derive(serde::Deserialize)]
/// struct StripeEvent {
///     id: String,
/// }
///
/// impl FromDelivery for StripeEvent {
///     fn from_delivery(body: SignedBody<'_>) -> Result<Self, EventError> {
///         json(body, &["stripe"])
///     }
/// }
/// ```
pub trait FromDelivery: Sized {
    /// Makes the event.
    ///
    /// # Errors
    /// An [`EventError`] if the delivery is another sender's, or its body is not the event's.
    fn from_delivery(body: SignedBody<'_>) -> Result<Self, EventError>;
}

/// Adds [`event`](Self::event) to [`VerifiedDelivery`], and to the extractor `Verified` of both adapters, which dereferences to it.
/// With the feature `inbox`, also to the `Delivery` that an inbox's worker hands to its handler.
pub trait VerifiedDeliveryExt {
    /// Parses the delivery's body: `delivery.event::<moduslink::Event>()?`.
    ///
    /// # Errors
    /// Those of [`FromDelivery::from_delivery`].
    fn event<T: FromDelivery>(&self) -> Result<T, EventError>;
}

impl VerifiedDeliveryExt for VerifiedDelivery {
    fn event<T: FromDelivery>(&self) -> Result<T, EventError> {
        T::from_delivery(self.into())
    }
}

#[cfg(feature = "inbox")]
impl<DB: countersign_inbox::Dialect> VerifiedDeliveryExt for countersign_inbox::Delivery<DB> {
    fn event<T: FromDelivery>(&self) -> Result<T, EventError> {
        T::from_delivery(self.into())
    }
}
