use std::fmt;

use countersign_events::{FromDelivery, ewarehousing, extend, fluent, modern_dropship, moduslink};
use serde::Deserialize;

use crate::Failure;

/// What happened to one order.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The sender's id of the order.
    pub order: String,
    /// What happened, in the sender's words.
    pub event: String,
}

impl Change {
    fn new(order: &impl ToString, event: &impl ToString) -> Self {
        Self { order: order.to_string(), event: event.to_string() }
    }
}

/// A sender's event, seen as changes of orders.
pub trait OrderEvent: FromDelivery + Send + Sync + 'static {
    /// The changes, in the sender's order. Empty if the event is about something else, such as stock.
    ///
    /// # Errors
    ///
    /// [`Failure::NoOrder`]: the event is about an order but names none.
    fn changes(&self) -> Result<Vec<Change>, Failure>;
}

impl OrderEvent for moduslink::Event {
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        let is_order = matches!(self.event_object_name, None | Some(moduslink::ObjectName::Orders));
        Ok(is_order.then(|| Change::new(&self.event_object_id, &self.event_type)).into_iter().collect())
    }
}

impl OrderEvent for modern_dropship::Event {
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        #[derive(Deserialize)]
        struct Order {
            #[serde(rename = "_id")]
            id: Id,
        }

        if !self.event_type.as_str().starts_with("order.") {
            return Ok(Vec::new());
        }
        let order: Order = self.data().map_err(no_order)?;
        Ok(vec![Change::new(&order.id, &self.event_type)])
    }
}

impl OrderEvent for fluent::Event {
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        if self.entity_type.as_deref() != Some("ORDER") {
            return Ok(Vec::new());
        }
        let order = self.entity_ref.as_ref().or(self.entity_id.as_ref());
        let order = order.ok_or_else(|| no_order("neither entityRef nor entityId"))?;
        Ok(vec![Change::new(order, &self.name.as_deref().unwrap_or("(no name)"))])
    }
}

impl OrderEvent for ewarehousing::Event {
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        if self.group != ewarehousing::Group::Order {
            return Ok(Vec::new());
        }
        let order = self.entity_id.as_ref().ok_or_else(|| no_order("no entityId"))?;
        Ok(vec![Change::new(order, &format_args!("{}.{}", self.group, self.action))])
    }
}

/// Extend documents no field of `Details`: `OrderId` is this example's guess.
impl OrderEvent for extend::Event {
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        #[derive(Deserialize)]
        struct Details {
            #[serde(rename = "OrderId")]
            order: Id,
        }

        let about_orders =
            self.iter().filter(|notification| notification.action.as_str().starts_with("Order"));
        about_orders
            .map(|notification| {
                let details: Details = notification.details().map_err(no_order)?;
                Ok(Change::new(&details.order, &notification.action))
            })
            .collect()
    }
}

/// An id that some senders write as a text and some as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

fn no_order(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::NoOrder(reason.into())
}
