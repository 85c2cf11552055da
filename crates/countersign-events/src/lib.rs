//! Typed events of webhook senders, made from a verified delivery only.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use countersign::{Secret, Verifier, senders};
//! use countersign_events::{VerifiedDeliveryExt, moduslink};
//!
//! let body = br#"{"eventType":"Orders.Created","eventObjectId":"42000631","eventObjectName":"orders","eventObjectReference":"Your_ref_60","eventDateTime":"2019-03-27T14:58:03","links":[{"href":"/fulfillmentapi/v1.2/orders/42000631","rel":"orders"}]}"#;
//! let headers = [("X-Moduslink-HMAC-SHA256", "atqAW6dqFODXAdWj/wmCIMMaS0j9v1pv8ueEfTgQjFY=")];
//!
//! let secret = Secret::new("moduslink-shared-secret");
//! let verifier = Verifier::builder(senders::moduslink()).secret("2026-q4", secret).build()?;
//! let mut verification = verifier.begin_buffered(&headers, SystemTime::now())?;
//! verification.update(body.as_slice().into())?;
//! let delivery = verification.finish()?;
//!
//! let event = delivery.event::<moduslink::Event>()?;
//! assert_eq!(event.event_type, moduslink::EventType::OrdersCreated);
//! assert_eq!(event.event_object_id, "42000631");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Behind a guard, a handler in axum or actix-web takes the event itself, with the extractor `Event<T>` (features `axum` and
//! `actix`), or calls `verified.event()` on `Verified`.
//!
//! # Where an event comes from
//!
//! From a [`VerifiedDelivery`](countersign::VerifiedDelivery), and from nothing else: no event implements `Deserialize`, and none
//! can be written as a literal outside of this crate. A function that takes an event cannot be called with a body that nobody
//! verified. To test such a function, be the sender: sign a body with
//! `countersign::Signer` (feature `sign` of the core) and verify it.
//!
//! ```compile_fail,E0277
//! serde_json::from_str::<countersign_events::moduslink::Event>("{}"); // the trait `Deserialize` is not implemented
//! ```
//!
//! An event is made of its own sender's deliveries only, told by the [name of the scheme](countersign::Scheme::name) that verified
//! them. A delivery of another sender is an [`EventError::OtherScheme`], since its route is wired up wrongly. For a scheme of
//! your own in the place of a named one, say for Modern Dropship once you know what it really sends, take the named one's
//! name: `Scheme::builder("modern-dropship")`. At an address of several senders, take `Verified` and choose by
//! `verified.scheme().name()`.
//!
//! # Senders
//!
//! | sender | event | scheme's name | what happened | required in the body | free parts |
//! |---|---|---|---|---|---|
//! | ModusLink | [`moduslink::Event`] | `moduslink` | [`event_type`](moduslink::EventType) | `eventType`, `eventObjectId` | |
//! | Modern Dropship (unconfirmed) | [`modern_dropship::Event`] | `modern-dropship` | [`event_type`](modern_dropship::EventType) | `_id`, `type` or `event_type` | `data` |
//! | Fluent Commerce | [`fluent::Event`] | `fluent`, `fluent-legacy-md5` | `name`, any text | nothing | `attributes` |
//! | eWarehousing | [`ewarehousing::Event`] | `ewarehousing` | [`group`](ewarehousing::Group) and [`action`](ewarehousing::Action) | `group`, `action` | `body` |
//! | Extend Commerce | [`extend::Event`] | `extend` | [`action`](extend::Action) of each notification | `Id`, `Notifications`, each `Action` | `Details` |
//!
//! Each module says where its facts come from: the sender's documentation, its code, or, where it says *inferred*, neither.
//! For any other sender, implement [`FromDelivery`] for a type of your own.
//!
//! # What is kept of a body
//!
//! - **Unknown words** are values. What happened is an open enum: a word without a variant is `Other`, and `as_str` gives it.
//! - **Unknown fields** are kept, in the field `other` of the object in which they stand.
//! - **Free parts** stay JSON. A method of the same name parses them: `notification.details::<Order>()?`.
//! - **Times** are kept as the sender wrote them: see [`SentTime`]. One that cannot be read loses neither the delivery nor its text.
//! - **A missing field** is `None`, or empty, unless it is required. `null` means the same as missing.
//! - **A field of another JSON type**, such as a number in the place of a string, is an error: nothing is converted.
//! - **A field that is given twice** is an error where it has a name here. In `other` and in the free parts the last one counts.
//! - **Numbers** in the free parts are those of `serde_json`: beyond 64 bits they are rounded, unless its feature
//!   `arbitrary_precision` is on.
//!
//! An event holds what the body says of people; so does its `Debug`. An [`EventError`] never does.
//!
//! # Bodies that are no event
//!
//! [`EventError`] names the place: `links[0].href: invalid type: integer, expected a string at line 1 column 63`. A body is refused
//! that is empty, is not UTF-8, is not JSON or goes on after it, is nested deeper than 127 levels, is not an object, or lacks
//! what is required. A byte order mark before the JSON is skipped. No input panics. There is no limit to a body but the
//! verifier's.
//!
//! A sender takes 422 for a failure and sends the same body again, until its retries are used up. Watch the `WARN`
//! events: the bytes are still there, in `Verified`, for a handler that can do without the event.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `axum` | no | `Event<T>` as an axum extractor, behind the guard of `countersign-tower` |
//! | `actix` | no | `Event<T>` as an actix-web extractor, behind the guard of `countersign-actix` |
//! | `tracing` | yes | a log event for each delivery that an extractor refuses; and the core's own log events |

mod error;
#[cfg(any(feature = "actix", feature = "axum"))]
mod extract;
mod from_delivery;
mod json;
mod open_enum;
mod sent_time;

pub mod ewarehousing;
pub mod extend;
pub mod fluent;
pub mod modern_dropship;
pub mod moduslink;

pub use time;

#[cfg(any(feature = "actix", feature = "axum"))]
pub use self::extract::{Event, EventRejection};
pub use self::{
    error::EventError,
    from_delivery::{FromDelivery, VerifiedDeliveryExt},
    json::json,
    sent_time::SentTime,
};
