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
//! let secret = Secret::new("moduslink-shared-secret").dangerously_accept_placeholder(); // a public sample
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
//! In axum and actix-web, a handler behind a guard takes the event with the extractor `Event<T>` (features `axum` and `actix`).
//! A handler that takes `Verified` calls `verified.event()`, with [`VerifiedDeliveryExt`] in scope.
//!
//! # Where an event comes from
//!
//! An event is made only from a [`VerifiedDelivery`](countersign::VerifiedDelivery), or from one that was
//! [stored in an inbox](#in-an-inbox). No event implements `Deserialize`, and no code outside this crate can write one as a literal.
//! So a function that takes an event never sees a body that nobody verified. To test such a function, be the sender: sign a body
//! with `countersign::Signer` (feature `sign` of the core) and verify it.
//!
//! ```compile_fail,E0277
//! serde_json::from_str::<countersign_events::moduslink::Event>("{}"); // the trait `Deserialize` is not implemented
//! ```
//!
//! The delivery must be of the event's own sender. The check compares the [name](countersign::Scheme::name) of the scheme that
//! verified the delivery with the names in the table below. Any other name is an [`EventError::OtherScheme`]: the route has the
//! wrong verifier or the wrong event. If you replace a named scheme by one of your own, give it the same name: for Modern
//! Dropship, once you know what it really sends, `Scheme::builder("modern-dropship")`. If several senders share an address,
//! take `Verified` and choose by `verified.scheme().name()`.
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
//! Each module names the source of its facts: the sender's documentation or code. Facts without such a source are marked
//! *inferred*. For any other sender, implement [`FromDelivery`] for a type of your own.
//!
//! # What an event keeps of the body
//!
//! - **Unknown words**: the enums are open. A word without a variant becomes `Other`, never an error, and `as_str` returns it.
//! - **Unknown fields**: each object keeps them in its field `other`.
//! - **Free parts** stay JSON. A method of the same name parses them: `notification.details::<Order>()?`.
//! - **Times** stay as the sender wrote them: see [`SentTime`]. An unreadable time is no error.
//! - **Missing fields** are `None` or empty, unless the table requires them. `null` counts as missing.
//! - **Fields of another JSON type** are an error: a number is never taken for a string, nor a string for a number.
//! - **Duplicate fields** are an error if the event names them. In `other` and in the free parts, the last one counts.
//! - **Numbers** in the free parts are `serde_json`'s: beyond 64 bits they are rounded, unless its feature
//!   `arbitrary_precision` is on.
//!
//! An event's `Debug` shows what the body says, which may be personal data. An [`EventError`] never does.
//!
//! # In an inbox
//!
//! With the feature `inbox`, `event` is also a method of the deliveries that a worker takes out of an inbox of the crate
//! `countersign-inbox`. Only verified deliveries get into one, and they keep the name of their scheme, so what is said here holds for
//! them too, as far as nobody but the inbox writes its tables.
//!
//! ```
//! # #[cfg(feature = "inbox")]
//! # mod example {
//! use countersign_events::{VerifiedDeliveryExt, modern_dropship};
//! use countersign_inbox::{Delivery, Dialect, Failure};
//!
//! /// The handler of a worker: `inbox.work(order)`.
//! async fn order<DB: Dialect>(delivery: Delivery<DB>) -> Result<(), Failure> {
//!     // No attempt will ever read another event in it: a dead letter at once. With `?` alone, it would be tried again.
//!     let event: modern_dropship::Event = delivery.event().map_err(Failure::permanent)?;
//!     println!("{} {}", event.id, event.event_type);
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # Bodies that are not an event
//!
//! An [`EventError`] names the place in the body: `links[0].href: invalid type: integer, expected a string at line 1 column 63`.
//! The error is returned for a body that is empty, is not UTF-8, is not JSON, has anything but white space after the JSON, is
//! nested deeper than 127 levels, is not an object, or lacks a required field. One byte order mark before the JSON is skipped.
//! No body causes a panic. The only limit on its length is the verifier's.
//!
//! A sender takes the extractor's 422 for a failure and repeats the same body until it gives up, so watch for the `WARN`
//! events. A handler that can do without the event should take `Verified`, which has the bytes.
//!
//! # Features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `axum` | no | `Event<T>` as an axum extractor, behind the guard of `countersign-tower` |
//! | `actix` | no | `Event<T>` as an actix-web extractor, behind the guard of `countersign-actix` |
//! | `inbox` | no | `event` on the deliveries of `countersign-inbox`; choose the database there |
//! | `tracing` | yes | a `WARN` or `ERROR` event for each delivery that an extractor refuses, and the core's own log events |

mod error;
#[cfg(any(feature = "actix", feature = "axum"))]
mod extract;
mod from_delivery;
mod json;
mod open_enum;
mod sent_time;
mod signed_body;

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
    signed_body::SignedBody,
};
