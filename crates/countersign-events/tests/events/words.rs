//! Open enums.

use std::{
    collections::HashSet,
    fmt::{Debug, Display},
    hash::Hash,
};

use countersign_events::{ewarehousing, extend, modern_dropship, moduslink};
use serde::{Serialize, de::DeserializeOwned};

/// Every word, known or not, comes back as it was written, and in one value only.
fn assert_open<T>(known: &[T], as_str: fn(&T) -> &str, words: usize)
where
    T: Clone
        + Debug
        + Display
        + Eq
        + Hash
        + for<'w> From<&'w str>
        + From<String>
        + Serialize
        + DeserializeOwned,
{
    assert_eq!(known.iter().map(as_str).collect::<HashSet<_>>().len(), words);
    let others = ["", "unknown", "ORDERS.CREATED", "é\n\"\\\u{0}"].map(T::from);
    for value in known.iter().chain(&others) {
        let word = as_str(value);
        assert_eq!(&T::from(word), value);
        assert_eq!(&T::from(word.to_owned()), value);
        assert_eq!(value.to_string(), word);
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(json, serde_json::to_string(word).unwrap());
        assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
        assert_eq!(format!("{value:?}").starts_with("Other("), !known.contains(value));
    }
    let all: HashSet<T> = known.iter().chain(&others).cloned().collect();
    assert_eq!(all.len(), words + others.len());
}

#[test]
fn every_word_round_trips() {
    assert_open(moduslink::EventType::KNOWN, moduslink::EventType::as_str, 3);
    assert_open(moduslink::ObjectName::KNOWN, moduslink::ObjectName::as_str, 3);
    assert_open(modern_dropship::EventType::KNOWN, modern_dropship::EventType::as_str, 6);
    assert_open(ewarehousing::Group::KNOWN, ewarehousing::Group::as_str, 8);
    assert_open(ewarehousing::Action::KNOWN, ewarehousing::Action::as_str, 9);
    assert_open(extend::Action::KNOWN, extend::Action::as_str, 18);
}

#[test]
fn a_known_word_in_other_is_equal_to_its_variant() {
    let other = extend::Action::Other("OrderPicked".to_owned());
    assert_eq!(other, extend::Action::OrderPicked);
    assert_eq!(HashSet::from([other.clone(), extend::Action::OrderPicked]).len(), 1);
    assert!(other == "OrderPicked" && other == *"OrderPicked" && other != "OrderReserved");
    assert_ne!(other, extend::Action::OrderReserved);
}
