//! `Event<T>` as an extractor (features `axum` and `actix`).

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;

use std::ops::Deref;

use countersign::VerifiedDelivery;

use crate::{EventError, FromDelivery};

/// Extracts the event of a verified delivery, in axum (feature `axum`) and actix-web (feature `actix`).
///
/// The handler runs only if a guard verified the delivery, under a scheme of the event's sender, and the body is such an event.
/// `Event<T>` dereferences to the event; [`delivery`](Self::delivery) gives the proof and the bytes.
///
/// ```
/// use countersign_events::{Event, moduslink};
///
/// async fn order_status(event: Event<moduslink::Event>) -> String {
///     format!("{} of {}, signed with {}", event.event_type, event.event_object_id, event.delivery().key())
/// }
/// ```
///
/// # What other requests get
///
/// | status | when | log (feature `tracing`) |
/// |---|---|---|
/// | 422 | the body is not such an event | `WARN`, with the reason |
/// | 500 | another sender's scheme verified the delivery | `ERROR`, with both schemes |
/// | 500 | no guard ran | `ERROR`, the same as for the guard's `Verified` |
///
/// Every answer of a status has the same body, which names no reason. The response's extensions hold the [`EventError`].
#[derive(Clone, Debug)]
pub struct Event<T> {
    event: T,
    delivery: VerifiedDelivery,
}

impl<T> Event<T> {
    /// The delivery that the event was made from: which sender and key it came from, and its bytes.
    pub fn delivery(&self) -> &VerifiedDelivery {
        &self.delivery
    }

    /// Takes the event and the delivery apart.
    pub fn into_parts(self) -> (T, VerifiedDelivery) {
        (self.event, self.delivery)
    }
}

impl<T: FromDelivery> Event<T> {
    fn new(delivery: VerifiedDelivery) -> Result<Self, EventError> {
        match T::from_delivery((&delivery).into()) {
            Ok(event) => Ok(Self { event, delivery }),
            Err(error) => {
                log::<T>(&error, &delivery);
                Err(error)
            }
        }
    }
}

impl<T> Deref for Event<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.event
    }
}

/// Why a handler that takes an [`Event`] did not run.
///
/// `U` is what the guard's own extractor gives on an unguarded route: `countersign_tower::LayerMissing` in axum,
/// `countersign_actix::MiddlewareMissing` in actix-web.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventRejection<U> {
    /// No guard ran.
    Unguarded(U),
    /// The delivery is verified and is not the event that the handler takes.
    Event(EventError),
}

/// The same for every cause of a status: the reason is the operator's.
fn answer(error: &EventError) -> &'static str {
    match error.status() {
        422 => "unprocessable content\n",
        _ => "internal server error\n",
    }
}

#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "for the log"))]
fn log<T>(error: &EventError, delivery: &VerifiedDelivery) {
    #[cfg(feature = "tracing")]
    {
        let (sender, key) = (delivery.scheme().name(), delivery.key().as_str());
        let event = std::any::type_name::<T>();
        match error {
            EventError::OtherScheme { .. } => tracing::error!(
                sender,
                key,
                event,
                "a handler takes another sender's event: {error}; it answers 500 until its route is corrected"
            ),
            EventError::NotUtf8 { .. } | EventError::Json { .. } => {
                tracing::warn!(sender, key, event, "a verified delivery is not the event: {error}");
            }
        }
    }
}
