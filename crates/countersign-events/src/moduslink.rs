//! Events of ModusLink.
//!
//! The sender documents the fields, and that deliveries may arrive twice or out of order and may skip a status
//! ([documentation](https://apiportal-uat.moduslink.com/documentation/webhook)). A delivery has no id. The sender does not document
//! which fields are always present. It is inferred that `eventType` and `eventObjectId` are.

use serde::Deserialize;
use serde_json::{Map, Value};
use time::PrimitiveDateTime;

use crate::{
    EventError, FromDelivery, SentTime, SignedBody, json, json::list_or_empty, open_enum::open_enum,
};

/// Something that happened to an order, a return or a purchase order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// `eventType`: what happened, to which kind of object.
    pub event_type: EventType,
    /// `eventObjectId`: the object's id at ModusLink.
    pub event_object_id: String,
    /// `eventObjectName`: the kind of object, as the API names it.
    pub event_object_name: Option<ObjectName>,
    /// `eventObjectReference`: your reference for the object.
    pub event_object_reference: Option<String>,
    /// `eventDateTime`: a date and a time of day **without a zone**, so not an instant. The sender does not document the zone.
    pub event_date_time: Option<SentTime<PrimitiveDateTime>>,
    /// `links`: the object's addresses in the API; empty if missing.
    pub links: Vec<Link>,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

/// One of an event's links.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// `href`: a path without a host in the documented example. Resolve it against the API address that you configured.
    pub href: String,
    /// `rel`: what the link leads to.
    pub rel: Option<String>,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

open_enum! {
    /// What happened, to which kind of object.
    ///
    /// Only these three strings are known. The sender also documents orders confirmed, cancelled, released, reserved, partially
    /// shipped, shipped, invoiced and paid; returns confirmed, cancelled, partially received and received; purchase orders created,
    /// cancelled, goods partially received and goods received; but not the strings for them.
    EventType {
        OrdersCreated = "Orders.Created",
        RmasCreated = "Rmas.Created",
        PurchasedOrdersConfirmed = "PurchasedOrders.Confirmed",
    }
}

open_enum! {
    /// The kind of object, as the API names it.
    ObjectName {
        Orders = "orders",
        Rmas = "rmas",
        PurchaseOrders = "purchaseorders",
    }
}

const SCHEMES: &[&str] = &["moduslink"];

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
    event_type: EventType,
    event_object_id: String,
    event_object_name: Option<ObjectName>,
    event_object_reference: Option<String>,
    event_date_time: Option<SentTime<PrimitiveDateTime>>,
    #[serde(default, deserialize_with = "list_or_empty::<_, ParsedLink, _>")]
    links: Vec<Link>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Deserialize)]
struct ParsedLink(#[serde(with = "WireLink")] Link);

impl From<ParsedLink> for Link {
    fn from(ParsedLink(link): ParsedLink) -> Self {
        link
    }
}

#[derive(Deserialize)]
#[serde(remote = "Link", expecting = "an object")]
struct WireLink {
    href: String,
    rel: Option<String>,
    #[serde(flatten)]
    other: Map<String, Value>,
}
