//! Bodies at the edges, of every sender.

use countersign_events::{EventError, ewarehousing, extend, fluent, moduslink};

use crate::deliveries::{SENDERS, event};

/// The message with which each sender's event refuses this body.
#[track_caller]
fn assert_refused(body: impl Fn(&str) -> Vec<u8>, message: impl Fn(&str) -> String) {
    for sender in SENDERS {
        assert!(sender.read(sender.least).is_ok(), "{}", sender.name);
        let error = sender.read(body(sender.least)).unwrap_err();
        assert_eq!(error.to_string(), message(sender.least), "{}", sender.name);
        assert_eq!(error.status(), 422);
    }
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    for sender in SENDERS {
        assert_eq!(sender.read(format!("\u{feff}{}", sender.least)), sender.read(sender.least));
    }
    assert_refused(
        |least| format!("\u{feff}\u{feff}{least}").into_bytes(),
        |_| "expected value at line 1 column 1".to_owned(),
    );
    let utf16 = |least: &str| least.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert_refused(
        |least| [b"\xff\xfe", utf16(least).as_slice()].concat(),
        |_| "the body is not UTF-8 after byte 0".to_owned(),
    );
}

#[test]
fn an_empty_body_is_no_event() {
    assert_refused(|_| Vec::new(), |_| "EOF while parsing a value at line 1 column 0".to_owned());
    assert_refused(
        |_| b"\xef\xbb\xbf".to_vec(),
        |_| "EOF while parsing a value at line 1 column 0".to_owned(),
    );
    assert_refused(|_| b" \r\n".to_vec(), |_| "EOF while parsing a value at line 2 column 0".to_owned());
}

#[test]
fn a_body_that_is_not_utf_8_is_no_event_even_where_nothing_reads_it() {
    let body = |least: &str| {
        let separator = if least == "{}" { "" } else { "," };
        let open = format!("{}{separator}\"unread\":\"", &least[..least.len() - 1]);
        [open.as_bytes(), b"\xc3\x28\"}"].concat()
    };
    assert_refused(body, |least| {
        let valid = body(least).len() - 4;
        format!("the body is not UTF-8 after byte {valid}")
    });
}

#[test]
fn only_white_space_may_follow_the_json() {
    for sender in SENDERS {
        assert_eq!(sender.read(format!("\r\n\t {}\r\n\t ", sender.least)), sender.read(sender.least));
    }
    for rest in ["{}", "\0", "x", ","] {
        assert_refused(
            |least| format!("{least}{rest}").into_bytes(),
            |least| format!("trailing characters at line 1 column {}", least.len() + 1),
        );
    }
}

#[test]
fn what_is_not_an_object_is_no_event() {
    for (body, kind) in [
        ("null", "null"),
        ("true", "boolean"),
        ("17", "integer"),
        ("1.5", "floating point"),
        (r#""text""#, "string"),
        (r#"["a","b","c","d","e","f","g","h"]"#, "sequence"),
    ] {
        for sender in SENDERS {
            let error = sender.read(body).unwrap_err().to_string();
            let message = format!("invalid type: {kind}, expected an object at line 1 column ");
            assert!(error.starts_with(&message), "{} {error}", sender.name);
        }
    }
}

#[test]
fn what_is_required_can_be_neither_missing_nor_null() {
    for sender in SENDERS {
        let least: serde_json::Map<String, serde_json::Value> = serde_json::from_str(sender.least).unwrap();
        for field in least.keys() {
            let mut without = least.clone();
            without.remove(field);
            let error = sender.read(serde_json::to_vec(&without).unwrap()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("missing field `{field}`")), "{} {error}", sender.name);
            let mut with_null = least.clone();
            with_null.insert(field.clone(), serde_json::Value::Null);
            let error = sender.read(serde_json::to_vec(&with_null).unwrap()).unwrap_err();
            let EventError::Json { path, reason } = &error else { panic!("{error:?}") };
            // Modern Dropship's `type` may be null: the topic is in `event_type` then, or missing.
            assert!(path == field || reason.starts_with("missing field `type`"), "{} {error}", sender.name);
        }
    }
}

#[test]
fn null_is_the_same_as_missing_where_a_field_is_optional() {
    let null = r#"{"id":null,"name":null,"type":null,"accountId":null,"retailerId":null,"rootEntityId":null,"rootEntityRef":null,"rootEntityType":null,"entityId":null,"entityRef":null,"entityType":null,"entityStatus":null,"attributes":null,"meta":null,"trailLogs":null,"errorLogs":null}"#;
    assert_eq!(event::<fluent::Event>(null), event::<fluent::Event>("{}"));
    let null = r#"{"eventType":"a","eventObjectId":"1","eventObjectName":null,"eventObjectReference":null,"eventDateTime":null,"links":null}"#;
    let missing = r#"{"eventType":"a","eventObjectId":"1"}"#;
    assert_eq!(event::<moduslink::Event>(null), event::<moduslink::Event>(missing));
    let null =
        r#"{"Id":"1","Attempt":null,"Properties":null,"Notifications":[{"Action":"a","Details":null}]}"#;
    let missing = r#"{"Id":"1","Notifications":[{"Action":"a"}]}"#;
    assert_eq!(event::<extend::Event>(null), event::<extend::Event>(missing));
    let null = r#"{"group":"a","action":"b","entity":null,"entityId":null,"customer":null,"body":null}"#;
    let missing = r#"{"group":"a","action":"b"}"#;
    assert_eq!(event::<ewarehousing::Event>(null), event::<ewarehousing::Event>(missing));
}

#[test]
fn a_field_given_twice_is_refused_where_it_is_named_and_the_last_elsewhere() {
    for sender in SENDERS {
        let least: serde_json::Map<String, serde_json::Value> = serde_json::from_str(sender.least).unwrap();
        for (field, value) in &least {
            let twice = format!("{},\"{field}\":{value}}}", &sender.least[..sender.least.len() - 1]);
            let error = sender.read(twice).unwrap_err().to_string();
            assert!(error.starts_with(&format!("duplicate field `{field}` at ")), "{} {error}", sender.name);
        }
    }
    let event: fluent::Event = event(r#"{"x":1,"x":2,"attributes":{"y":1,"y":2}}"#).unwrap();
    assert_eq!((&event.other["x"], &event.attributes["y"]), (&2.into(), &2.into()));
}

#[test]
fn a_body_may_be_nested_127_levels_deep() {
    let nested = |least: &str, levels: usize| {
        let separator = if least == "{}" { "" } else { "," };
        let open = &least[..least.len() - 1];
        format!("{open}{separator}\"x\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1))
    };
    for sender in SENDERS {
        assert!(sender.read(nested(sender.least, 127)).is_ok(), "{}", sender.name);
        for levels in [128, 100_000] {
            let error = sender.read(nested(sender.least, levels)).unwrap_err().to_string();
            assert!(error.contains("recursion limit exceeded at line 1 column "), "{} {error}", sender.name);
            assert!(error.len() < 200, "{error}");
        }
    }
}

#[test]
fn a_text_may_be_as_long_as_the_verifier_lets_a_body_be() {
    let long = "x".repeat(1 << 20);
    let event = event::<moduslink::Event>(format!(
        r#"{{"eventType":"{long}","eventObjectId":"{long}","{long}":"{long}"}}"#
    ));
    let event = event.unwrap();
    assert!(event.event_type == *long && event.event_object_id == long);
    assert_eq!(event.other[&long], *long);
}
