//! What errors say, and what they never say.

use countersign_events::{EventError, ewarehousing, extend, fluent, modern_dropship, moduslink};
use serde::Deserialize;

use crate::deliveries::event;

#[track_caller]
fn assert_message<T: countersign_events::FromDelivery>(body: &str, message: &str) {
    match event::<T>(body) {
        Ok(_) => panic!("it is an event: {body}"),
        Err(error) => assert_eq!(error.to_string(), message),
    }
}

#[test]
fn an_error_names_the_place_and_the_kind_of_value() {
    use {extend::Event as Extend, moduslink::Event as ModusLink};

    assert_message::<Extend>(
        r#"{"Id":"1","Notifications":[{"Action":"a"},{"Action":5}]}"#,
        "Notifications[1].Action: invalid type: integer, expected a string at line 1 column 53",
    );
    assert_message::<Extend>(
        r#"{"Id":"1","Notifications":[{"Action":"a"},{"Details":{}}]}"#,
        "Notifications[1]: missing field `Action` at line 1 column 56",
    );
    assert_message::<Extend>(
        r#"{"Id":"1","Notifications":[{"Action":"a"},["a"]]}"#,
        "Notifications[1]: invalid type: sequence, expected an object at line 1 column 42",
    );
    assert_message::<Extend>(
        r#"{"Id":"1","Notifications":null}"#,
        "Notifications: invalid type: null, expected a sequence at line 1 column 30",
    );
    assert_message::<Extend>(
        r#"{"Id":"1","Attempt":"2","Notifications":[]}"#,
        "Attempt: invalid type: string, expected u32 at line 1 column 23",
    );
    assert_message::<Extend>(
        r#"{"Id":"1","Attempt":-1,"Notifications":[]}"#,
        "Attempt: invalid value: integer, expected u32 at line 1 column 22",
    );
    assert_message::<Extend>(
        r#"{"Id":"1","Id":"2","Notifications":[]}"#,
        "duplicate field `Id` at line 1 column 14",
    );
    assert_message::<ModusLink>(
        r#"{"eventType":"a","eventObjectId":42000631}"#,
        "eventObjectId: invalid type: integer, expected a string at line 1 column 41",
    );
    assert_message::<ModusLink>(
        r#"{"eventType":"a","eventObjectId":"1","links":[{"href":true}]}"#,
        "links[0].href: invalid type: boolean, expected a string at line 1 column 58",
    );
    assert_message::<ewarehousing::Event>(
        r#"{"group":null,"action":"a"}"#,
        "group: invalid type: null, expected a string at line 1 column 13",
    );
    assert_message::<modern_dropship::Event>(
        r#"{"_id":1.5,"type":"a"}"#,
        "_id: invalid type: floating point, expected a string at line 1 column 10",
    );
    assert_message::<fluent::Event>(
        r#"{"attributes":[]}"#,
        "attributes: invalid type: sequence, expected a map at line 1 column 14",
    );
}

#[test]
fn an_error_shows_nothing_that_the_body_holds() {
    let secret = "Erika Mustermann, expected `a` \\\" at line 1 column 2";
    for body in [
        format!(r#"{{"Id":"1","Attempt":"{secret}","Notifications":[]}}"#),
        format!(r#"{{"Id":"1","Notifications":"{secret}"}}"#),
        format!(r#"{{"Id":"1","Notifications":["{secret}"]}}"#),
        format!(r#"{{"Id":"1","Notifications":[],"x":{{"{secret}":{{"y":tru}}}}}}"#),
        format!(r#""{secret}""#),
    ] {
        let error = event::<extend::Event>(&body).unwrap_err();
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains("Erika") && !shown.contains("Mustermann"), "{shown}");
        assert!(shown.len() < 600, "{shown}");
    }
}

#[test]
fn a_type_of_the_callers_cannot_leak_either() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Never;

    impl TryFrom<String> for Never {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            Err(format!("I do not know {text}"))
        }
    }

    #[derive(Debug, Deserialize)]
    enum Unit {
        Piece,
    }

    #[derive(Debug, Deserialize)]
    struct Name {
        #[expect(dead_code, reason = "never made")]
        name: Never,
    }

    #[derive(Debug, Deserialize)]
    struct InUnits {
        #[expect(dead_code, reason = "never made")]
        unit: Unit,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    let body = r#"{"Id":"1","Notifications":[{"Action":"a","Details":{"name":"Erika","unit":"Erika"}}]}"#;
    let event: extend::Event = event(body).unwrap();
    let details = |error: EventError| error.to_string();

    let error = event.notifications[0].details::<Name>().unwrap_err();
    assert_eq!(details(error), "Details.name: the value does not fit its type");

    let error = event.notifications[0].details::<InUnits>().unwrap_err();
    assert_eq!(details(error), "Details.unit: unknown variant, expected `Piece`");
    assert!(serde_json::from_str::<Unit>("\"Piece\"").is_ok_and(|unit| matches!(unit, Unit::Piece)));

    let error = event.notifications[0].details::<Nothing>().unwrap_err();
    assert_eq!(details(error), "Details.name: the value does not fit its type");
}

#[test]
fn a_path_neither_ends_a_line_nor_fills_a_log() {
    let shown = |key: &str| {
        let key = serde_json::to_string(key).unwrap();
        event::<fluent::Event>(format!(r#"{{"attributes":{{{key}:tru}}}}"#)).unwrap_err().to_string()
    };
    assert_eq!(shown("a-b_c.d$e"), "attributes.a-b_c.d$e: expected ident at line 1 column 31");
    for key in ["", "a\nb", "é", "\u{202e}", "e@mail", &"x".repeat(65), &"x".repeat(1 << 20)] {
        assert!(shown(key).starts_with("attributes.?: expected ident at line 1 column "), "{key}");
    }
    let deep = format!(r#"{{"attributes":{}tru"#, r#"{"a":"#.repeat(100));
    let error = event::<fluent::Event>(deep).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("attributes{}…: EOF while parsing a value at line 1 column 517", ".a".repeat(15))
    );
}
