use countersign::VerifiedDelivery;

use crate::EventError;

/// A type that is made from a verified delivery: each sender's `Event`, and types of your own.
///
/// For another sender, implement it with [`json`](crate::json), which takes the names of the sender's schemes:
///
/// ```
/// use countersign::VerifiedDelivery;
/// use countersign_events::{EventError, FromDelivery, json};
///
/// #[derive(serde::Deserialize)]
/// struct Charge {
///     id: String,
/// }
///
/// impl FromDelivery for Charge {
///     fn from_delivery(delivery: &VerifiedDelivery) -> Result<Self, EventError> {
///         json(delivery, &["stripe"])
///     }
/// }
/// ```
pub trait FromDelivery: Sized {
    /// Makes the event.
    ///
    /// # Errors
    /// An [`EventError`] for a delivery of another sender, and for a body that is not the event's.
    fn from_delivery(delivery: &VerifiedDelivery) -> Result<Self, EventError>;
}

/// [`event`](Self::event) on a [`VerifiedDelivery`], and so on the extractors `Verified`.
pub trait VerifiedDeliveryExt {
    /// The delivery's body as an event of its sender: `delivery.event::<moduslink::Event>()?`.
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
