//! No body of any sender's panics, and no error shows what a body holds.

use proptest::{collection, prelude::*};
use serde_json::{Map, Value};

use crate::deliveries::SENDERS;

/// In every text of the bodies below, and nowhere else.
const MARK: &str = "Mustermann";

/// The names of fields, so that bodies get past the first one that is required.
const FIELDS: &[&str] = &[
    "_id",
    "type",
    "event_type",
    "created",
    "companyObjectId",
    "data",
    "eventType",
    "eventObjectId",
    "eventObjectName",
    "eventObjectReference",
    "eventDateTime",
    "links",
    "href",
    "rel",
    "id",
    "name",
    "accountId",
    "attributes",
    "meta",
    "trailLogs",
    "errorLogs",
    "entityId",
    "body",
    "group",
    "action",
    "entity",
    "customer",
    "Id",
    "Attempt",
    "Properties",
    "Notifications",
    "Action",
    "Details",
    "other",
];

fn text() -> impl Strategy<Value = Value> {
    any::<String>().prop_map(|text| Value::from(format!("{text}{MARK}{text}")))
}

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from)];
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number, text()];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![collection::vec(inner.clone(), 0..4).prop_map(Value::from), object(inner)]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let key = prop_oneof![4 => prop::sample::select(FIELDS).prop_map(str::to_owned), 1 => any::<String>()];
    collection::btree_map(key, value, 0..6).prop_map(|fields| Value::from(Map::from_iter(fields)))
}

/// The least body of a sender's with one thing changed or added, so that errors come from everywhere.
fn nearly() -> impl Strategy<Value = (usize, Value)> {
    let field = prop::sample::select(FIELDS);
    (0..SENDERS.len(), collection::vec((field, value()), 1..4)).prop_map(|(sender, changes)| {
        let mut body: Map<String, Value> = serde_json::from_str(SENDERS[sender].least).unwrap();
        body.extend(changes.into_iter().map(|(field, value)| (field.to_owned(), value)));
        (sender, Value::from(body))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_an_event_or_an_error(body in any::<Vec<u8>>()) {
        for sender in SENDERS {
            if let Err(error) = sender.read(&body) {
                prop_assert!(error.to_string().len() < 300);
            }
        }
    }

    #[test]
    fn any_json_is_an_event_or_an_error_that_shows_nothing_of_it(body in prop_oneof![value(), object(value())]) {
        for sender in SENDERS {
            if let Err(error) = sender.read(body.to_string()) {
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains(MARK), "{}", shown);
            }
        }
    }

    #[test]
    fn a_body_that_is_nearly_right_is_an_event_or_an_error_that_shows_nothing_of_it((sender, body) in nearly()) {
        if let Err(error) = SENDERS[sender].read(body.to_string()) {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(MARK), "{}", shown);
        }
    }

    #[test]
    fn a_good_body_cut_anywhere_or_with_any_byte_changed_is_an_event_or_an_error(
        sender in 0..SENDERS.len(), place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut body = SENDERS[sender].least.as_bytes().to_vec();
        let place = place.index(body.len());
        if cut { body.truncate(place) } else { body[place] = byte }
        let result = SENDERS[sender].read(&body);
        prop_assert!(!cut || result.is_err());
    }
}
