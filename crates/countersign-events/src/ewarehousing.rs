//! Events of eWarehousing.
//!
//! The sender documents the fields and the topics, and that deliveries may arrive more than once and out of order
//! ([documentation](https://api.docs.ewarehousing-solutions.com/webhook-setup)). The delivery's id is in the header `X-Webhook-Id`,
//! which the signature does not cover, so the event does not have it. The sender does not document which fields are always
//! present. It is inferred that `group` and `action` are.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{EventError, FromDelivery, SignedBody, json, json::field, open_enum::open_enum};

/// Something that happened in a warehouse: [`group`](Self#structfield.group) and [`action`](Self#structfield.action) are its topic.
///
/// ```
/// use countersign::VerifiedDelivery;
/// use countersign_events::{EventError, SentTime, VerifiedDeliveryExt, ewarehousing::{Action, Event, Group}};
/// use time::OffsetDateTime;
///
/// #[derive(serde::Deserialize)]
/// struct Stock {
///     sku: String,
///     stock_salable: i64,
///     modified_at: SentTime<OffsetDateTime>,
/// }
///
/// fn updated_stock(delivery: &VerifiedDelivery) -> Result<Option<Stock>, EventError> {
///     let event: Event = delivery.event()?;
///     match (&event.group, &event.action) {
///         (Group::Stock, Action::Updated) => event.body().map(Some),
///         _ => Ok(None),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// `group`: the kind of object.
    pub group: Group,
    /// `action`: what happened to it.
    pub action: Action,
    /// `entity`: the kind of object that `entityId` names: `variant` in the documented event of the group `stock`.
    pub entity: Option<String>,
    /// `entityId`: that object's id.
    pub entity_id: Option<String>,
    /// `customer`: a customer's id, a UUID in the documented example.
    pub customer: Option<String>,
    /// `body`: the object; its form depends on the group. `null` if missing.
    pub body: Value,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

impl Event {
    /// Parses [`body`](Self#structfield.body).
    ///
    /// # Errors
    /// [`EventError::Json`] if it does not fit `T`.
    pub fn body<'v, T: Deserialize<'v>>(&'v self) -> Result<T, EventError> {
        field("body", &self.body)
    }
}

open_enum! {
    /// The kind of object: a topic's first part.
    Group {
        Article = "article",
        Batch = "batch",
        Inbound = "inbound",
        Modification = "modification",
        Order = "order",
        Shipment = "shipment",
        Stock = "stock",
        Variant = "variant",
    }
}

open_enum! {
    /// What happened to an object: a topic's second part.
    ///
    /// | group | actions |
    /// |---|---|
    /// | `article`, `variant` | `created`, `updated`, `deleted` |
    /// | `batch`, `stock` | `updated` |
    /// | `inbound` | `created`, `updated`, `completed` |
    /// | `modification` | `created`, `updated`, `approved`, `disapproved` |
    /// | `order` | `created`, `updated`, `planned`, `processing`, `shipped` |
    /// | `shipment` | `created`, `updated` |
    Action {
        Created = "created",
        Updated = "updated",
        Deleted = "deleted",
        Completed = "completed",
        Approved = "approved",
        Disapproved = "disapproved",
        Planned = "planned",
        Processing = "processing",
        Shipped = "shipped",
    }
}

const SCHEMES: &[&str] = &["ewarehousing"];

impl FromDelivery for Event {
    fn from_delivery(body: SignedBody<'_>) -> Result<Self, EventError> {
        json(body, SCHEMES).map(|Parsed(event)| event)
    }
}

#[derive(Deserialize)]
struct Parsed(#[serde(with = "Wire")] Event);

#[derive(Deserialize)]
#[serde(remote = "Event", rename_all = "camelCase", expecting = "an object")]
struct Wire {
    group: Group,
    action: Action,
    entity: Option<String>,
    entity_id: Option<String>,
    customer: Option<String>,
    #[serde(default)]
    body: Value,
    #[serde(flatten)]
    other: Map<String, Value>,
}
