//! Times as the senders write them.

use countersign_events::{
    SentTime, modern_dropship, moduslink,
    time::{OffsetDateTime, PrimitiveDateTime, macros::datetime},
};

use crate::deliveries::event;

#[track_caller]
fn civil(text: &str) -> Option<PrimitiveDateTime> {
    let json = serde_json::to_string(text).unwrap();
    let time: SentTime<PrimitiveDateTime> = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (time.as_str(), time.to_string(), serde_json::to_string(&time).unwrap()),
        (text, text.to_owned(), json)
    );
    time.parsed()
}

#[track_caller]
fn instant(text: &str) -> Option<OffsetDateTime> {
    let json = serde_json::to_string(text).unwrap();
    let time: SentTime<OffsetDateTime> = serde_json::from_str(&json).unwrap();
    assert_eq!(time.as_str(), text);
    time.parsed()
}

#[test]
fn a_time_without_a_zone_is_a_date_and_a_time_of_day() {
    assert_eq!(civil("2019-03-27T14:58:03"), Some(datetime!(2019-03-27 14:58:03)));
    assert_eq!(civil("2019-03-27T14:58:03.25"), Some(datetime!(2019-03-27 14:58:03.25)));
    for other in [
        "2019-03-27T14:58:03Z",
        "2019-03-27T14:58:03+01:00",
        "2019-03-27 14:58:03",
        "2019-03-27",
        "2019-02-29T00:00:00",
        "2019-03-27T24:00:00",
        "2019-03-27T14:58:03.",
        " 2019-03-27T14:58:03",
        "27/03/2019",
        "",
    ] {
        assert_eq!(civil(other), None, "{other}");
    }
}

#[test]
fn an_instant_has_an_offset_with_or_without_a_colon() {
    assert_eq!(instant("2021-12-02T15:20:06.000Z"), Some(datetime!(2021-12-02 15:20:06 UTC)));
    assert_eq!(instant("2021-12-02T15:20:06-05:30"), Some(datetime!(2021-12-02 15:20:06 -5:30)));
    assert_eq!(instant("2022-02-11T17:45:01+0000"), Some(datetime!(2022-02-11 17:45:01 UTC)));
    assert_eq!(instant("2022-02-11T17:45:01.5-0530"), Some(datetime!(2022-02-11 17:45:01.5 -5:30)));
    for other in
        ["2022-02-11T17:45:01", "2022-02-11T17:45:01+00", "2022-02-11T17:45:01+9900", "1719342000", "\u{0}"]
    {
        assert_eq!(instant(other), None, "{other}");
    }
}

#[test]
fn a_time_in_another_form_loses_neither_the_delivery_nor_its_text() {
    let of = |time: &str| {
        let body = format!(r#"{{"eventType":"a","eventObjectId":"1","eventDateTime":{time}}}"#);
        let event: moduslink::Event = event(body).unwrap();
        event.event_date_time.map(|time| (time.as_str().to_owned(), time.parsed()))
    };
    assert_eq!(of("null"), None);
    assert_eq!(of(r#""yesterday""#), Some(("yesterday".to_owned(), None)));
    assert_eq!(of("1553698683"), Some(("1553698683".to_owned(), None)));
    assert_eq!(of(r#"{"at":[1]}"#), Some((r#"{"at":[1]}"#.to_owned(), None)));

    let body = r#"{"_id":"1","type":"a","created":1638458406000}"#;
    let created = event::<modern_dropship::Event>(body).unwrap().created.unwrap();
    assert_eq!((created.as_str(), created.parsed()), ("1638458406000", None));
}
