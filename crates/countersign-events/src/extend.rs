//! Events of Extend Commerce, each with several notifications.
//!
//! The sender documents the fields and the actions
//! ([documentation](https://extendcommerce.atlassian.net/wiki/pages/viewpage.action?pageId=4571653)). Extend almost surely sends with
//! Microsoft's ASP.NET `WebHooks`. From that library it is inferred that a retry keeps `Id` and raises `Attempt`, and that `Id`,
//! `Notifications` and each `Action` are always there.

use std::{slice, vec};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    EventError, FromDelivery, SignedBody, json,
    json::{field, list, or_empty},
    open_enum::open_enum,
};

/// The notifications of one request, in the sender's order.
///
/// A retry carries all of them again. A handler that works through them one at a time can recognise a notification it has
/// already handled by [`id`](Self#structfield.id) and position.
///
/// ```
/// use countersign::VerifiedDelivery;
/// use countersign_events::{EventError, VerifiedDeliveryExt, extend::{Action, Event}};
///
/// #[derive(serde::Deserialize)]
/// #[serde(rename_all = "PascalCase")]
/// struct Order {
///     order_id: String, // an example: the fields of `Details` are not known here
/// }
///
/// fn picked_orders(delivery: &VerifiedDelivery) -> Result<Vec<Order>, EventError> {
///     let event: Event = delivery.event()?;
///     let picked = event.iter().filter(|notification| notification.action == Action::OrderPicked);
///     picked.map(|notification| notification.details()).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// `Id`: the delivery's id, the same in each attempt.
    pub id: String,
    /// `Attempt`: 1 at first, one more with each retry.
    pub attempt: Option<u32>,
    /// `Properties`: what the sender adds about the delivery; empty if missing.
    pub properties: Map<String, Value>,
    /// `Notifications`: what happened. It may be empty.
    pub notifications: Vec<Notification>,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

impl Event {
    /// The notifications, in the sender's order.
    pub fn iter(&self) -> slice::Iter<'_, Notification> {
        self.notifications.iter()
    }

    /// `Properties.NotificationId`, whose JSON type is not known.
    pub fn notification_id(&self) -> Option<&Value> {
        self.properties.get("NotificationId")
    }
}

impl IntoIterator for Event {
    type Item = Notification;
    type IntoIter = vec::IntoIter<Notification>;

    fn into_iter(self) -> Self::IntoIter {
        self.notifications.into_iter()
    }
}

impl<'e> IntoIterator for &'e Event {
    type Item = &'e Notification;
    type IntoIter = slice::Iter<'e, Notification>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// `Action`: what happened.
    pub action: Action,
    /// `Details`: what it happened to; its form depends on the action. `null` if missing.
    pub details: Value,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

impl Notification {
    /// Parses [`details`](Self#structfield.details).
    ///
    /// # Errors
    /// [`EventError::Json`] if it does not fit `T`. Its path begins with `Details`.
    pub fn details<'v, T: Deserialize<'v>>(&'v self) -> Result<T, EventError> {
        field("Details", &self.details)
    }
}

open_enum! {
    /// What happened.
    Action {
        OrderPicked = "OrderPicked",
        OrderReserved = "OrderReserved",
        OrderCancelled = "OrderCancelled",
        BalanceChanged = "BalanceChanged",
        AvailableBalanceChanged = "AvailableBalanceChanged",
        OrderDeliveryDataChanged = "OrderDeliveryDataChanged",
        PurchasePartiallyDelivered = "PurchasePartiallyDelivered",
        PurchaseCancelled = "PurchaseCancelled",
        PurchaseDelivered = "PurchaseDelivered",
        ProductCreated = "ProductCreated",
        ProductChanged = "ProductChanged",
        OrderCreated = "OrderCreated",
        CustomerCreated = "CustomerCreated",
        CustomerChanged = "CustomerChanged",
        OfferCreated = "OfferCreated",
        OfferChanged = "OfferChanged",
        CustomerInvoiceCreated = "CustomerInvoiceCreated",
        CustomerInvoiceChanged = "CustomerInvoiceChanged",
    }
}

const SCHEMES: &[&str] = &["extend"];

impl FromDelivery for Event {
    fn from_delivery(body: SignedBody<'_>) -> Result<Self, EventError> {
        json(body, SCHEMES).map(|Parsed(event)| event)
    }
}

#[derive(Deserialize)]
struct Parsed(#[serde(with = "Wire")] Event);

#[derive(Deserialize)]
#[serde(remote = "Event", rename_all = "PascalCase", expecting = "an object")]
struct Wire {
    id: String,
    attempt: Option<u32>,
    #[serde(default, deserialize_with = "or_empty")]
    properties: Map<String, Value>,
    #[serde(deserialize_with = "list::<_, ParsedNotification, _>")]
    notifications: Vec<Notification>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Deserialize)]
struct ParsedNotification(#[serde(with = "WireNotification")] Notification);

impl From<ParsedNotification> for Notification {
    fn from(ParsedNotification(notification): ParsedNotification) -> Self {
        notification
    }
}

#[derive(Deserialize)]
#[serde(remote = "Notification", rename_all = "PascalCase", expecting = "an object")]
struct WireNotification {
    action: Action,
    #[serde(default)]
    details: Value,
    #[serde(flatten)]
    other: Map<String, Value>,
}
