use countersign::VerifiedDelivery;

use crate::EventError;

/// Makes a type from a verified delivery: each sender's `Event`, or a type of your own.
///
/// For another sender, call [`json`](crate::json) with the names of the sender's schemes:
///
/// ```
/// use countersign::VerifiedDelivery;
/// use countersign_events::{EventError, FromDelivery, json};
///
/// #[derive(serde::Deserialize)]
/// struct StripeEvent {
///     id: String,
/// }
///
/// impl FromDelivery for StripeEvent {
///     fn from_delivery(delivery: &VerifiedDelivery) -> Result<Self, EventError> {
///         json(delivery, &["stripe"])
///     }
/// }
/// ```
pub trait FromDelivery: Sized {
    /// Makes the event.
    ///
    /// # Errors
    /// An [`EventError`] if the delivery is another sender's, or its body is not the event's.
    fn from_delivery(delivery: &VerifiedDelivery) -> Result<Self, EventError>;
}

/// Adds [`event`](Self::event) to [`VerifiedDelivery`], and to the extractor `Verified` of both adapters, which dereferences to it.
pub trait VerifiedDeliveryExt {
    /// Parses the delivery's body: `delivery.event::<moduslink::Event>()?`.
    ///
    /// # Errors
    /// Those of [`FromDelivery::from_delivery`].
    fn event<T: FromDelivery>(&self) -> Result<T, EventError>;
}

impl VerifiedDeliveryExt for VerifiedDelivery {
    fn event<T: FromDelivery>(&self) -> Result<T, EventError> {
        T::from_delivery(self)
    }
}
