//! Events of Fluent Commerce, under its present signature (`fluent`) or its old one (`fluent-legacy-md5`).
//!
//! Each workflow chooses the names of its events
//! ([documentation](https://docs.fluentcommerce.com/essential-knowledge/webhook-receivers)), and every field is optional. The JSON
//! types of the fields are those of one captured delivery. It is inferred from the sender's retries that a delivery may
//! arrive twice: recognise duplicates by `id`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    EventError, FromDelivery, SignedBody, json,
    json::{field, or_empty},
};

/// Something that a workflow reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// `id`: the event's id.
    pub id: Option<String>,
    /// `name`: what happened, in the workflow's own words.
    pub name: Option<String>,
    /// `type`: the kind of event, `NORMAL` in a captured delivery.
    pub event_type: Option<String>,
    /// `accountId`
    pub account_id: Option<String>,
    /// `retailerId`
    pub retailer_id: Option<String>,
    /// `rootEntityId`
    pub root_entity_id: Option<String>,
    /// `rootEntityRef`
    pub root_entity_ref: Option<String>,
    /// `rootEntityType`
    pub root_entity_type: Option<String>,
    /// `entityId`
    pub entity_id: Option<String>,
    /// `entityRef`
    pub entity_ref: Option<String>,
    /// `entityType`: `ORDER` in a captured delivery.
    pub entity_type: Option<String>,
    /// `entityStatus`: the status in the workflow's own words.
    pub entity_status: Option<String>,
    /// `attributes`: whatever the workflow adds; empty if missing.
    pub attributes: Map<String, Value>,
    /// `meta`; `null` if missing.
    pub meta: Value,
    /// `trailLogs`; empty if missing.
    pub trail_logs: Vec<Value>,
    /// `errorLogs`; empty if missing.
    pub error_logs: Vec<Value>,
    /// The fields that are not named here.
    pub other: Map<String, Value>,
}

impl Event {
    /// Parses one of the [`attributes`](Self#structfield.attributes); `None` if no attribute has this name.
    ///
    /// # Errors
    /// [`EventError::Json`] if it does not fit `T`.
    pub fn attribute<'v, T: Deserialize<'v>>(&'v self, name: &str) -> Result<Option<T>, EventError> {
        let Some(value) = self.attributes.get(name) else { return Ok(None) };
        field(name, value).map(Some).map_err(|error| error.within("attributes"))
    }
}

const SCHEMES: &[&str] = &["fluent", "fluent-legacy-md5"];

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
    id: Option<String>,
    name: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    account_id: Option<String>,
    retailer_id: Option<String>,
    root_entity_id: Option<String>,
    root_entity_ref: Option<String>,
    root_entity_type: Option<String>,
    entity_id: Option<String>,
    entity_ref: Option<String>,
    entity_type: Option<String>,
    entity_status: Option<String>,
    #[serde(default, deserialize_with = "or_empty")]
    attributes: Map<String, Value>,
    #[serde(default)]
    meta: Value,
    #[serde(default, deserialize_with = "or_empty")]
    trail_logs: Vec<Value>,
    #[serde(default, deserialize_with = "or_empty")]
    error_logs: Vec<Value>,
    #[serde(flatten)]
    other: Map<String, Value>,
}
