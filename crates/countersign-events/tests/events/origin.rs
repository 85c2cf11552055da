//! Events come from a verified delivery of their sender, and from nothing else.

use std::marker::PhantomData;

use countersign::senders;
use countersign_events::{
    EventError, VerifiedDeliveryExt, ewarehousing, extend, fluent, modern_dropship, moduslink,
};
use serde::de::DeserializeOwned;

use crate::deliveries::{SENDERS, delivery, own_scheme, rsa_delivery};

#[test]
fn an_event_is_made_of_its_own_senders_deliveries_only() {
    let deliveries = |body: &str| {
        [
            ("moduslink", delivery(senders::moduslink(), body)),
            ("modern-dropship", delivery(senders::modern_dropship(), body)),
            ("fluent", rsa_delivery(senders::fluent(), body)),
            ("fluent", rsa_delivery(senders::fluent_legacy_md5(), body)),
            ("ewarehousing", delivery(senders::ewarehousing(), body)),
            ("extend", delivery(senders::extend(), body)),
            ("none", delivery(senders::shopify(), body)),
            ("none", delivery(own_scheme("acme"), body)),
            ("none", delivery(own_scheme("Extend"), body)),
        ]
    };
    for sender in SENDERS {
        for (name, delivery) in deliveries(sender.least) {
            let result = (sender.parse)(&delivery);
            if name == sender.name {
                assert!(result.is_ok(), "{} {result:?}", sender.name);
                continue;
            }
            let error = result.unwrap_err();
            assert_eq!(error.status(), 500);
            let EventError::OtherScheme { verified, accepted } = error else { panic!("{error:?}") };
            assert_eq!(verified, delivery.scheme().name());
            assert!(accepted.contains(&sender.name));
        }
    }
}

#[test]
fn another_senders_delivery_is_refused_by_name_whatever_its_body() {
    for body in ["{}", "", "\u{feff}{"] {
        let error = delivery(senders::extend(), body).event::<fluent::Event>().unwrap_err();
        let message = "the delivery was verified under the scheme extend, but the event is one of fluent, fluent-legacy-md5";
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_scheme_of_ones_own_takes_the_senders_name() {
    let body = r#"{"_id":"1","type":"order.fulfilled"}"#;
    assert_eq!(
        delivery(own_scheme("modern-dropship"), body).event::<modern_dropship::Event>().unwrap().id,
        "1"
    );
    let renamed = senders::modern_dropship().header("X-Signature");
    assert_eq!(delivery(renamed, body).event::<modern_dropship::Event>().unwrap().id, "1");
}

/// Whether a type implements `DeserializeOwned`: of two constants of one name, the inherent one is taken where it applies.
struct Probe<T>(PhantomData<T>);

trait Not {
    const IS_DESERIALIZED: bool = false;
}

impl<T> Not for Probe<T> {}

impl<T: DeserializeOwned> Probe<T> {
    const IS_DESERIALIZED: bool = true;
}

#[test]
fn no_event_can_be_parsed_from_bytes() {
    const { assert!(Probe::<extend::Action>::IS_DESERIALIZED, "the probe sees what is there") };
    const {
        assert!(!Probe::<moduslink::Event>::IS_DESERIALIZED);
        assert!(!Probe::<moduslink::Link>::IS_DESERIALIZED);
        assert!(!Probe::<modern_dropship::Event>::IS_DESERIALIZED);
        assert!(!Probe::<fluent::Event>::IS_DESERIALIZED);
        assert!(!Probe::<ewarehousing::Event>::IS_DESERIALIZED);
        assert!(!Probe::<extend::Event>::IS_DESERIALIZED);
        assert!(!Probe::<extend::Notification>::IS_DESERIALIZED);
    }
}
