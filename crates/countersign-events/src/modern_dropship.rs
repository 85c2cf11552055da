//! Events of Modern Dropship, formerly Convictional. **Unconfirmed**, as [its signature](countersign::senders::modern_dropship) is.
//!
//! The sender documents that it delivers at least once and that the id tells duplicates apart
//! ([documentation](https://developers.moderndropship.com/docs/webhooks)). The fields come from the sender's own code of 2021. It is
//! inferred that the topic and `_id` are always present, and that the topic may be in `event_type` instead of `type`. Compare
//! these facts with a real delivery before you depend on them.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{EventError, FromDelivery, SentTime, SignedBody, json, json::field, open_enum::open_enum};

/// Something that happened to an order, a product or a variant.
///
/// ```
/// use countersign::VerifiedDelivery;
/// use countersign_events::{EventError, VerifiedDeliveryExt, modern_dropship::{Event, EventType}};
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     #[serde(rename = "_id")]
///     id: String,
/// }
///
/// fn fulfilled_order(delivery: &VerifiedDelivery) -> Result<Option<Order>, EventError> {
///     let event: Event = delivery.event()?;
///     match event.event_type {
///         EventType::OrderFulfilled => event.data().map(Some),
///         _ => Ok(None),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// `_id`: the id. The sender says to recognise duplicates by it.
    pub id: String,
    /// `type`, or `event_type` if the body has no `type`: what happened.
    pub event_type: EventType,
    /// `created`: when.
    pub created: Option<SentTime<OffsetDateTime>>,
    /// `companyObjectId`: the company that the event belongs to.
    pub company_object_id: Option<String>,
    /// `data`: what it happened to; its form depends on the topic. `null` if missing.
    pub data: Value,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

impl Event {
    /// Parses [`data`](Self#structfield.data).
    ///
    /// # Errors
    /// [`EventError::Json`] if it does not fit `T`.
    pub fn data<'v, T: Deserialize<'v>>(&'v self) -> Result<T, EventError> {
        field("data", &self.data)
    }
}

open_enum! {
    /// What happened: the sender's topic.
    EventType {
        OrderFulfilled = "order.fulfilled",
        OrderCancelled = "order.cancelled",
        ProductSelected = "product.selected",
        ProductInventoryChanged = "product.inventoryChanged",
        ProductUnavailable = "product.unavailable",
        VariantUnavailable = "variant.unavailable",
    }
}

const SCHEMES: &[&str] = &["modern-dropship"];

impl FromDelivery for Event {
    fn from_delivery(body: SignedBody<'_>) -> Result<Self, EventError> {
        json(body, SCHEMES).map(|Parsed(event)| event)
    }
}

struct Parsed(Event);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let Wire { id, r#type, event_type, created, company_object_id, data, other } = wire;
        let event_type = r#type.or(event_type).ok_or_else(|| D::Error::missing_field("type"))?;
        Ok(Self(Event { id, event_type, created, company_object_id, data, other }))
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Wire {
    #[serde(rename = "_id")]
    id: String,
    r#type: Option<EventType>,
    event_type: Option<EventType>,
    created: Option<SentTime<OffsetDateTime>>,
    #[serde(rename = "companyObjectId")]
    company_object_id: Option<String>,
    #[serde(default)]
    data: Value,
    #[serde(flatten)]
    other: Map<String, Value>,
}
