use std::time::SystemTime;

use countersign::{PrivateKey, Scheme, Secret, Signer, SigningKey, senders};
use receiver_setup::demo_keys;

/// A sender, an example of its body about one order, and what the desk must make of it.
pub(crate) struct Sender {
    pub(crate) name: &'static str,
    pub(crate) scheme: fn() -> Scheme,
    pub(crate) body: &'static str,
    /// The same delivery, as the sender repeats it.
    pub(crate) retry: &'static str,
    pub(crate) order: &'static str,
    pub(crate) event: &'static str,
}

const MODUSLINK: &str = r#"{"eventType":"Orders.Created","eventObjectId":"42000631","eventObjectName":"orders","eventObjectReference":"Your_ref_60","eventDateTime":"2019-03-27T14:58:03","links":[{"href":"/fulfillmentapi/v1.2/orders/42000631","rel":"orders"}]}"#;
const MODERN_DROPSHIP: &str = r#"{"_id":"61a8e4c6b8f4f0a3d2c1b0a9","type":"order.fulfilled","created":"2021-12-02T15:20:06.000Z","companyObjectId":"5a692f658f6d524e8282dac7","data":{"_id":"573ce4451e02f4bae78788aa"}}"#;
const FLUENT: &str = r#"{"id":"0f3c9a52-6a1e-4d8b-9b57-2f4d1c7e8a90","name":"OrderShipped","entityId":"1042","entityRef":"HD_1042","entityType":"ORDER","entityStatus":"SHIPPED"}"#;
const EWAREHOUSING: &str =
    r#"{"body":{"id":"f9cc7e9c"},"group":"order","action":"shipped","entity":"order","entityId":"f9cc7e9c"}"#;

pub(crate) const SENDERS: &[Sender] = &[
    Sender {
        name: "moduslink",
        scheme: senders::moduslink,
        body: MODUSLINK,
        retry: MODUSLINK,
        order: "42000631",
        event: "Orders.Created",
    },
    Sender {
        name: "modern-dropship",
        scheme: senders::modern_dropship,
        body: MODERN_DROPSHIP,
        retry: MODERN_DROPSHIP,
        order: "573ce4451e02f4bae78788aa",
        event: "order.fulfilled",
    },
    Sender {
        name: "fluent",
        scheme: senders::fluent,
        body: FLUENT,
        retry: FLUENT,
        order: "HD_1042",
        event: "OrderShipped",
    },
    Sender {
        name: "ewarehousing",
        scheme: senders::ewarehousing,
        body: EWAREHOUSING,
        retry: EWAREHOUSING,
        order: "f9cc7e9c",
        event: "order.shipped",
    },
    Sender {
        name: "extend",
        scheme: senders::extend,
        body: "{\r\n  \"Id\": \"b0b7\",\r\n  \"Attempt\": 1,\r\n  \"Notifications\": [{\"Action\": \"OrderPicked\", \"Details\": {\"OrderId\": 7}}]\r\n}",
        retry: "{\r\n  \"Id\": \"b0b7\",\r\n  \"Attempt\": 2,\r\n  \"Notifications\": [{\"Action\": \"OrderPicked\", \"Details\": {\"OrderId\": 7}}]\r\n}",
        order: "7",
        event: "OrderPicked",
    },
];

pub(crate) fn sender(name: &str) -> &'static Sender {
    SENDERS.iter().find(|sender| sender.name == name).unwrap()
}

impl Sender {
    pub(crate) fn signer(&self) -> Signer {
        let secret = |text| SigningKey::from(Secret::new(text));
        let key = match self.name {
            "moduslink" => secret(demo_keys::MODUSLINK),
            "modern-dropship" => secret(demo_keys::MODERN_DROPSHIP),
            "fluent" => PrivateKey::from_pem(demo_keys::FLUENT_PRIVATE).unwrap().into(),
            "ewarehousing" => secret(demo_keys::EWAREHOUSING),
            "extend" => secret(demo_keys::EXTEND),
            name => panic!("no key of {name}"),
        };
        Signer::new((self.scheme)(), [key]).unwrap()
    }

    pub(crate) fn headers(&self, body: &str) -> Vec<(String, String)> {
        self.signer().headers(body.as_bytes(), SystemTime::now()).unwrap()
    }
}
