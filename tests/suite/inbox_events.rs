//! Typed events of deliveries that come out of an inbox: the same as those of the verified delivery that went in.

use std::fmt::Debug;

use bytes::Bytes;
use countersign::{Scheme, VerifiedDelivery, senders};
use countersign_events::{
    EventError, FromDelivery, VerifiedDeliveryExt, ewarehousing, extend, modern_dropship, moduslink,
};
use countersign_inbox::{Delivery, Failure, Filter, SqliteInbox, State, sqlx::Sqlite};
use tokio::sync::mpsc;

use crate::harness::{hmac_delivery, inbox::sqlite, now, verifier};

fn verified(scheme: Scheme, body: &str) -> VerifiedDelivery {
    let delivery = hmac_delivery(scheme.clone(), "secret", body);
    let mut verification = verifier(scheme, "secret").begin_buffered(&delivery.head(), now()).unwrap();
    verification.update(Bytes::from(delivery.body())).unwrap();
    verification.finish().unwrap()
}

type Made<T> = Result<T, EventError>;

/// The event that a worker's handler makes of a delivery, and the one of the verified delivery itself.
async fn out_of_the_inbox<T>(scheme: Scheme, body: &str) -> (Made<T>, Made<T>)
where
    T: FromDelivery + Send + Sync + 'static,
{
    let delivery = verified(scheme, body);
    let (inbox, _folder) = sqlite(|builder| builder).await;
    inbox.accept(&delivery, &[("", ""); 0]).await.unwrap();
    let (send, mut events) = mpsc::unbounded_channel();
    let handler = move |delivery: Delivery<Sqlite>| {
        let send = send.clone();
        async move {
            send.send(delivery.event::<T>())?;
            Ok(())
        }
    };
    let mut stored = None;
    let received = async { stored = events.recv().await };
    inbox.work(handler).run_until(received).await.unwrap();
    let stored = stored.unwrap();
    (stored, delivery.event())
}

async fn assert_same<T: FromDelivery + Debug + PartialEq + Send + Sync + 'static>(
    scheme: Scheme,
    body: &str,
) -> T {
    let (stored, verified) = out_of_the_inbox::<T>(scheme, body).await;
    assert_eq!(stored, verified);
    stored.unwrap()
}

#[tokio::test]
async fn a_stored_delivery_gives_the_event_that_the_verified_one_gives() {
    let dropship =
        r#"{"_id":"61a8","type":"order.fulfilled","data":{"_id":"7"},"created":"2026-01-02T03:04:05Z"}"#;
    let event: modern_dropship::Event = assert_same(senders::modern_dropship(), dropship).await;
    assert_eq!((event.id.as_str(), event.event_type), ("61a8", modern_dropship::EventType::OrderFulfilled));

    let order = r#"{"eventType":"Orders.Created","eventObjectId":"7"}"#;
    assert_same::<moduslink::Event>(senders::moduslink(), order).await;
    // A scheme of one's own takes the sender's name.
    let renamed = senders::modern_dropship().header("X-Signature");
    assert_same::<modern_dropship::Event>(renamed, dropship).await;
    assert_same::<ewarehousing::Event>(senders::ewarehousing(), r#"{"group":"stock","action":"updated"}"#)
        .await;
    assert_same::<extend::Event>(senders::extend(), "\u{feff}{\"Id\":\"5\",\"Notifications\":[]}").await;
}

#[tokio::test]
async fn a_stored_delivery_of_another_sender_or_with_another_body_is_the_same_error() {
    let (stored, verified) =
        out_of_the_inbox::<extend::Event>(senders::moduslink(), r#"{"Id":"5","Notifications":[]}"#).await;
    assert_eq!(stored, verified);
    let other = EventError::OtherScheme { verified: "moduslink".to_owned(), accepted: &["extend"] };
    assert_eq!(stored.unwrap_err(), other);

    let (stored, verified) = out_of_the_inbox::<extend::Event>(senders::extend(), r#"{"Id":5}"#).await;
    assert_eq!(stored, verified);
    assert!(matches!(stored, Err(EventError::Json { .. })), "{stored:?}");
}

#[tokio::test]
async fn a_body_that_is_no_event_becomes_a_dead_letter_with_its_reason_after_one_attempt() {
    async fn order(delivery: Delivery<Sqlite>) -> Result<(), Failure> {
        let event: moduslink::Event = delivery.event().map_err(Failure::permanent)?;
        panic!("{event:?}")
    }
    async fn dead(inbox: &SqliteInbox) {
        while inbox.stats().await.unwrap().dead == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (inbox, _folder) = sqlite(|builder| builder).await;
    inbox.accept(&verified(senders::moduslink(), "{}"), &[("", ""); 0]).await.unwrap();
    inbox.work(order).run_until(dead(&inbox)).await.unwrap();
    let entry = inbox.list(&Filter::all(), 0, 2).await.unwrap().remove(0);
    assert_eq!((entry.state, entry.attempts), (State::Dead, 1));
    assert_eq!(entry.failure.as_deref(), Some("missing field `eventType` at line 1 column 2"));
}
