//! Each sender's body, field for field.

use countersign::{Secret, Verifier, senders};
use countersign_events::{
    EventError, VerifiedDeliveryExt, ewarehousing, extend, fluent, modern_dropship, moduslink,
    time::macros::datetime,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deliveries::{delivery, event, rsa_delivery, verify};

fn verifier(scheme: countersign::Scheme, secret: &'static str) -> Verifier {
    Verifier::builder(scheme)
        .secret("k", Secret::new(secret).dangerously_accept_placeholder())
        .build()
        .unwrap()
}

#[test]
fn moduslinks_documented_delivery_is_an_event() {
    // The signature follows the sender's documented rule and was computed by the project's founders.
    let body = br#"{"eventType":"Orders.Created","eventObjectId":"42000631","eventObjectName":"orders","eventObjectReference":"Your_ref_60","eventDateTime":"2019-03-27T14:58:03","links":[{"href":"/fulfillmentapi/v1.2/orders/42000631","rel":"orders"}]}"#;
    let headers = [("X-Moduslink-HMAC-SHA256", "atqAW6dqFODXAdWj/wmCIMMaS0j9v1pv8ueEfTgQjFY=")];
    let delivery = verify(&verifier(senders::moduslink(), "moduslink-shared-secret"), &headers, body);
    let event: moduslink::Event = delivery.event().unwrap();
    assert!(matches!(event.event_type, moduslink::EventType::OrdersCreated));
    assert_eq!(event.event_object_id, "42000631");
    assert!(matches!(event.event_object_name, Some(moduslink::ObjectName::Orders)));
    assert_eq!(event.event_object_reference.as_deref(), Some("Your_ref_60"));
    let time = event.event_date_time.unwrap();
    assert_eq!((time.as_str(), time.parsed()), ("2019-03-27T14:58:03", Some(datetime!(2019-03-27 14:58:03))));
    let links: Vec<_> = event.links.iter().map(|link| (link.href.as_str(), link.rel.as_deref())).collect();
    assert_eq!(links, [("/fulfillmentapi/v1.2/orders/42000631", Some("orders"))]);
    assert!(event.other.is_empty());
}

#[test]
fn modern_dropships_delivery_is_an_event() {
    #[derive(Deserialize)]
    struct Order<'a> {
        #[serde(rename = "_id")]
        id: &'a str,
    }

    // The signature follows the inferred rule and was computed by the project's founders.
    let body = br#"{"_id":"61a8e4c6b8f4f0a3d2c1b0a9","type":"order.fulfilled","created":"2021-12-02T15:20:06.000Z","companyObjectId":"5a692f658f6d524e8282dac7","data":{"_id":"573ce4451e02f4bae78788aa"}}"#;
    let value = "1719342000,ad0cd4a65faa032ff69367aa8ba0f9ca4ddff01d20697a2ba02a1775e14dba06,1bac3839cac28853f8ca23c8c6d716c9e8f8e02ad2c9a7494c8909dda6fb003d";
    let headers = [("Convictional-Signature", value)];
    let delivery = verify(&verifier(senders::modern_dropship(), "new-secret"), &headers, body);
    let event: modern_dropship::Event = delivery.event().unwrap();
    assert_eq!(event.id, "61a8e4c6b8f4f0a3d2c1b0a9");
    assert!(matches!(event.event_type, modern_dropship::EventType::OrderFulfilled));
    let created = event.created.as_ref().unwrap();
    assert_eq!(created.as_str(), "2021-12-02T15:20:06.000Z");
    assert_eq!(created.parsed(), Some(datetime!(2021-12-02 15:20:06 UTC)));
    assert_eq!(event.company_object_id.as_deref(), Some("5a692f658f6d524e8282dac7"));
    assert_eq!(event.data, json!({"_id": "573ce4451e02f4bae78788aa"}));
    assert!(event.other.is_empty());
    assert_eq!(event.data::<Order<'_>>().unwrap().id, "573ce4451e02f4bae78788aa");
}

#[test]
fn modern_dropships_topic_may_stand_in_event_type() {
    let topic = |body: &str| event::<modern_dropship::Event>(body).map(|event| event.event_type.to_string());
    assert_eq!(topic(r#"{"_id":"1","event_type":"order.cancelled"}"#).unwrap(), "order.cancelled");
    assert_eq!(
        topic(r#"{"_id":"1","type":null,"event_type":"order.cancelled"}"#).unwrap(),
        "order.cancelled"
    );
    assert_eq!(topic(r#"{"_id":"1","event_type":"a","type":"order.cancelled"}"#).unwrap(), "order.cancelled");
    assert_eq!(topic(r#"{"_id":"1"}"#).unwrap_err().to_string(), "missing field `type`");
}

#[test]
fn fluents_delivery_is_an_event_under_either_signature() {
    let body = r#"{"id":"0f3c9a52-6a1e-4d8b-9b57-2f4d1c7e8a90","name":"OrderShipped","accountId":"ACME","retailerId":"7","entityId":"1042","entityRef":"HD_1042","entityType":"ORDER","entityStatus":"SHIPPED","type":"NORMAL","attributes":{"carrier":{"name":"DHL"},"parcels":2},"meta":{"mode":"SYNC","simulation":false},"trailLogs":[{"a":1}],"errorLogs":[],"rootEntityId":"1041","rootEntityType":"CONSIGNMENT","rootEntityRef":"HD_1041"}"#;
    for scheme in [senders::fluent(), senders::fluent_legacy_md5()] {
        let event: fluent::Event = rsa_delivery(scheme, body).event().unwrap();
        let texts = [
            &event.id,
            &event.name,
            &event.event_type,
            &event.account_id,
            &event.retailer_id,
            &event.root_entity_id,
            &event.root_entity_ref,
            &event.root_entity_type,
            &event.entity_id,
            &event.entity_ref,
            &event.entity_type,
            &event.entity_status,
        ];
        let sent = [
            "0f3c9a52-6a1e-4d8b-9b57-2f4d1c7e8a90",
            "OrderShipped",
            "NORMAL",
            "ACME",
            "7",
            "1041",
            "HD_1041",
            "CONSIGNMENT",
            "1042",
            "HD_1042",
            "ORDER",
            "SHIPPED",
        ];
        assert_eq!(texts.map(|text| text.as_deref().unwrap()), sent);
        assert_eq!(Value::from(event.attributes.clone()), json!({"carrier": {"name": "DHL"}, "parcels": 2}));
        assert_eq!(event.meta, json!({"mode": "SYNC", "simulation": false}));
        assert_eq!((event.trail_logs.as_slice(), event.error_logs.len()), ([json!({"a": 1})].as_slice(), 0));
        assert!(event.other.is_empty());
        assert_eq!(event.attribute::<u8>("parcels"), Ok(Some(2)));
        assert_eq!(event.attribute::<u8>("none"), Ok(None));
        let error = event.attribute::<u8>("carrier").unwrap_err();
        assert_eq!(error.to_string(), "attributes.carrier: invalid type: map, expected u8");
    }
}

#[test]
fn ewarehousings_documented_delivery_is_an_event() {
    #[derive(Deserialize)]
    struct Stock {
        stock_salable: i64,
        modified_at: countersign_events::SentTime<countersign_events::time::OffsetDateTime>,
    }

    // The signature follows the sender's documented rule and was computed by the project's founders.
    let body = br#"{"body":{"id":"f9cc7e9c-7ac2-45df-b4a3-1a19321c144d","ean":"123","sku":"12345","modified_at":"2022-02-11T17:45:01+0000","article_code":"green_jacket","stock_salable":973,"stock_physical":1000,"stock_available":973,"stock_quarantine":0},"group":"stock","action":"updated","entity":"variant","customer":"be62c27e-2aac-4ac1-902e-f770d64f8dce","entityId":"f9cc7e9c-7ac2-45df-b4a3-1a19321c144d"}"#;
    let headers = [("X-Hmac-SHA256", "eJxOClg804JLOnXXWRubLNyt3tu6a2S7ZQ7KBdaSKsA=")];
    let delivery = verify(&verifier(senders::ewarehousing(), "ABC12345"), &headers, body);
    let event: ewarehousing::Event = delivery.event().unwrap();
    assert!(matches!(event.group, ewarehousing::Group::Stock));
    assert!(matches!(event.action, ewarehousing::Action::Updated));
    assert_eq!(event.entity.as_deref(), Some("variant"));
    assert_eq!(event.entity_id.as_deref(), Some("f9cc7e9c-7ac2-45df-b4a3-1a19321c144d"));
    assert_eq!(event.customer.as_deref(), Some("be62c27e-2aac-4ac1-902e-f770d64f8dce"));
    assert!(event.other.is_empty());
    let stock: Stock = event.body().unwrap();
    assert_eq!(stock.stock_salable, 973);
    assert_eq!(stock.modified_at.parsed(), Some(datetime!(2022-02-11 17:45:01 UTC)));
}

#[test]
fn several_notifications_of_extends_come_in_their_order() {
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "PascalCase")]
    struct Order {
        order_id: u64,
    }

    let body = "{\r\n  \"Id\": \"b0b7\",\r\n  \"Attempt\": 2,\r\n  \"Properties\": {\r\n    \"NotificationId\": \"n1\"\r\n  },\r\n  \"Notifications\": [\r\n    {\r\n      \"Action\": \"OrderPicked\",\r\n      \"Details\": {\r\n        \"OrderId\": 7\r\n      }\r\n    },\r\n    {\r\n      \"Action\": \"OrderLost\",\r\n      \"Reason\": \"rain\"\r\n    },\r\n    {\r\n      \"Action\": \"OrderPicked\",\r\n      \"Details\": {\r\n        \"OrderId\": \"8\"\r\n      }\r\n    }\r\n  ]\r\n}\r\n";
    let event: extend::Event = delivery(senders::extend(), body).event().unwrap();
    assert_eq!((event.id.as_str(), event.attempt), ("b0b7", Some(2)));
    assert_eq!(event.notification_id(), Some(&json!("n1")));
    let actions: Vec<_> = event.iter().map(|notification| notification.action.as_str()).collect();
    assert_eq!(actions, ["OrderPicked", "OrderLost", "OrderPicked"]);
    assert!((&event).into_iter().eq(event.iter()));
    let details: Vec<_> = event.iter().map(extend::Notification::details::<Order>).collect();
    assert_eq!(details[0], Ok(Order { order_id: 7 }));
    let error = details[1].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "Details: invalid type: null, expected struct Order");
    let error = details[2].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "Details.OrderId: invalid type: string, expected u64");

    let owned: Vec<_> = event.into_iter().collect();
    assert_eq!(owned[1].other["Reason"], "rain");
    assert_eq!(owned[1].details, Value::Null);
}

#[test]
fn extends_documented_sample_is_verified_and_is_no_event() {
    // From the sender's documentation: 16 bytes that are not JSON.
    let value = "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A";
    let verifier = verifier(senders::extend(), "secret123");
    let delivery = verify(&verifier, &[("ms-signature", value)], b"{'test':'test2'}");
    let error = delivery.event::<extend::Event>().unwrap_err();
    assert_eq!(error.to_string(), "key must be a string at line 1 column 2");
    assert!(matches!(error, EventError::Json { .. }));
    assert_eq!(error.status(), 422);
}

#[test]
fn unknown_fields_are_kept_where_they_stand() {
    let event = event::<moduslink::Event>;
    let event = event(
        r#"{"eventType":"a","eventObjectId":"1","priority":[1],"links":[{"href":"/","rel":"r","method":"GET"}]}"#,
    );
    let event = event.unwrap();
    assert_eq!(Value::from(event.other), json!({"priority": [1]}));
    assert_eq!(Value::from(event.links[0].other.clone()), json!({"method": "GET"}));
}
