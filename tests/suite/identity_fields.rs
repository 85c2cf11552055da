//! Identities from fields of the body: which bodies are the same delivery, and which fall back to the digest.

use std::borrow::Cow;

use countersign::{Fallback, Identified, IdentitySource, Scheme, Verifier};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

use crate::{
    harness::{hmac_delivery, now, verifier},
    schemes::acme,
};

fn by(pointers: &[&'static str]) -> Scheme {
    acme().identity(IdentitySource::fields(pointers.iter().copied())).build().unwrap()
}

fn identified_by(verifier: &Verifier, body: &[u8]) -> Identified {
    let delivery = hmac_delivery(acme().build().unwrap(), "secret", body);
    verifier.identify(&delivery.headers, body, now()).unwrap().1
}

fn identified(pointers: &[&'static str], body: impl AsRef<[u8]>) -> Identified {
    identified_by(&verifier(by(pointers), "secret"), body.as_ref())
}

fn digest(body: impl AsRef<[u8]>) -> Identified {
    identified_by(&verifier(acme().build().unwrap(), "secret"), body.as_ref())
}

#[track_caller]
fn assert_same(pointers: &[&'static str], bodies: &[&str]) {
    let first = identified(pointers, bodies[0]);
    for body in bodies {
        let this = identified(pointers, body);
        assert_eq!(this.fallback, None, "{body}");
        assert_eq!(this, first, "{body}");
    }
}

#[track_caller]
fn assert_different(pointers: &[&'static str], bodies: &[&str]) {
    for (place, body) in bodies.iter().enumerate() {
        let this = identified(pointers, body);
        assert_eq!(this.fallback, None, "{body}");
        for other in &bodies[..place] {
            assert_ne!(this, identified(pointers, other), "{body} {other}");
        }
    }
}

#[track_caller]
fn assert_falls_back(pointers: &[&'static str], body: impl AsRef<[u8]>, fallback: Fallback) {
    let body = body.as_ref();
    let this = identified(pointers, body);
    assert_eq!(this.fallback, Some(fallback), "{}", String::from_utf8_lossy(body));
    assert_eq!(this.identity, digest(body).identity);
}

#[test]
fn neither_order_nor_white_space_nor_escapes_nor_other_fields_count() {
    assert_same(
        &["/id", "/account"],
        &[
            r#"{"id":"a/1","account":7}"#,
            r#"{"account":7,"id":"a/1"}"#,
            "\u{feff}{ \"account\" :\r\n7 , \"id\"\t: \"a\\/1\" }\n",
            r#"{"id":"\u0061\u002f1","account":7,"more":[{"id":"b"},{"id":"b"}]}"#,
            r#"{"\u0069d":"a/1","acc\u006funt":7,"more":{"id":null}}"#,
        ],
    );
    assert_same(&["/id"], &[r#"{"id":"é😀"}"#, r#"{"id":"\u00e9\ud83d\ude00"}"#]);
}

#[test]
fn a_string_and_a_number_differ_and_so_do_two_texts_of_one_number() {
    assert_different(
        &["/id"],
        &[
            r#"{"id":1}"#,
            r#"{"id":"1"}"#,
            r#"{"id":1.0}"#,
            r#"{"id":1e0}"#,
            r#"{"id":1E0}"#,
            r#"{"id":-1}"#,
            r#"{"id":10}"#,
            // A double would round these to one.
            r#"{"id":900719925474099267}"#,
            r#"{"id":900719925474099268}"#,
            r#"{"id":" 1"}"#,
            r#"{"id":"é"}"#,
            r#"{"id":"e\u0301"}"#,
        ],
    );
}

#[test]
fn no_two_lists_of_values_are_taken_for_each_other() {
    assert_different(
        &["/a", "/b"],
        &[
            r#"{"a":"x","b":"yz"}"#,
            r#"{"a":"xy","b":"z"}"#,
            r#"{"a":"yz","b":"x"}"#,
            r#"{"a":1,"b":"1"}"#,
            r#"{"a":"1","b":1}"#,
            r#"{"a":"x/bstringyz","b":"z"}"#,
        ],
    );
    let body = r#"{"a":"x","b":"x"}"#;
    assert_ne!(identified(&["/a"], body), identified(&["/b"], body));
    assert_ne!(identified(&["/a"], body), digest(body));
}

#[test]
fn pointers_reach_into_objects_and_arrays() {
    assert_same(
        &["/event/0/id"],
        &[
            r#"{"event":[{"id":"x"}]}"#,
            r#"{"event":{"0":{"id":"x"}}}"#,
            r#"{"event":[{"id":"x"},{"id":"y"},[[[]]]]}"#,
        ],
    );
    assert_same(&["/a/2", "/a/0"], &[r#"{"a":[1,2,3]}"#, r#"{"a":[1,{},3,4]}"#]);
    assert_same(&["/a~1b", "/m~0n", "/~01", "/"], &[r#"{"a/b":1,"m~n":2,"~1":3,"":4}"#]);
    assert_same(&["/a/b", "/a/c/d"], &[r#"{"a":{"b":1,"c":{"d":2}}}"#, r#"{"a":{"c":{"d":2},"b":1}}"#]);
    for (pointer, body) in [
        ("/a/1", r#"{"a":["x"]}"#),
        ("/a/-", r#"{"a":["x"]}"#),
        ("/a/00", r#"{"a":["x"]}"#),
        ("/a/+0", r#"{"a":["x"]}"#),
        ("/a/", r#"{"a":["x"]}"#),
        ("/a/18446744073709551616", r#"{"a":["x"]}"#),
        ("/a/b", r#"{"a":"b"}"#),
        ("/a/b", r#"{"a":7}"#),
        ("/a/b", r#"{"a":-7.5e3}"#),
        ("/a/b", r#"{"a":null}"#),
        ("/a/b", r#"{"a":true}"#),
        ("/a", r#"["a"]"#),
        ("/a", "\"a\""),
        ("/a", "{}"),
        ("/a", r#"{"A":"x"}"#),
    ] {
        assert_falls_back(&[pointer], body, Fallback::Missing { field: pointer.into() });
    }
}

#[test]
fn a_field_that_identifies_nothing_falls_back_to_the_digest() {
    let id = || Cow::Borrowed("/id");
    for value in [
        "null",
        "true",
        "false",
        "\"\"",
        "{}",
        "{\"id\":1}",
        "[]",
        "[1]",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
    ] {
        let body = format!("{{\"id\":{value}}}");
        assert_falls_back(&["/id"], body, Fallback::Unusable { field: id() });
    }
    assert_falls_back(&["/id", "/b"], r#"{"id":1}"#, Fallback::Missing { field: "/b".into() });
    assert_falls_back(&["/id", "/b"], r#"{"b":null}"#, Fallback::Missing { field: id() });
}

#[test]
fn a_name_given_twice_on_the_way_to_a_field_falls_back_to_the_digest() {
    for body in [
        r#"{"id":"a","id":"b"}"#,
        r#"{"id":"a","id":"a"}"#,
        r#"{"id":"a","\u0069d":"a"}"#,
        r#"{"id":null,"id":"a","x":1}"#,
        r#"{"id":"a","id":1,"id":2}"#,
    ] {
        assert_falls_back(&["/id"], body, Fallback::Repeated { field: "/id".into() });
    }
    for body in [r#"{"a":{"id":1},"a":{}}"#, r#"{"a":7,"a":{"id":1}}"#, r#"{"a":{"id":1,"id":1}}"#] {
        assert_falls_back(&["/a/id"], body, Fallback::Repeated { field: "/a/id".into() });
    }
    assert_falls_back(
        &["/a/b", "/a/c"],
        r#"{"a":{"b":1},"a":{"c":2}}"#,
        Fallback::Repeated { field: "/a/b".into() },
    );
    // Elsewhere it does not matter.
    assert_same(&["/id"], &[r#"{"id":"a"}"#, r#"{"x":1,"id":"a","x":2,"y":{"id":1,"id":2}}"#]);
}

#[test]
fn a_body_that_is_not_json_in_utf_8_falls_back_to_the_digest() {
    let bodies: [&[u8]; 13] = [
        b"",
        b" ",
        b"id=a",
        b"{\"id\":\"a\"",
        b"{\"id\":\"a\"}x",
        b"{\"id\":\"a\"}{}",
        b"{'id':'a'}",
        b"{\"id\":\"a\",}",
        b"{\"id\":\"a\xff\"}",
        b"{\"x\":\"\xff\",\"id\":\"a\"}",
        b"\xff\xfe{\0\"\0",
        b"{\"id\":\"a\n\"}",
        b"{\"id\":01}",
    ];
    for body in bodies {
        assert_falls_back(&["/id"], body, Fallback::NotJson);
    }
    assert_falls_back(&["/id"], "\u{feff}\u{feff}{\"id\":1}", Fallback::NotJson);
}

/// Within the body limit of 1 MiB.
#[test]
fn long_ids_and_deep_bodies_cost_no_stack_and_no_more_than_32_bytes() {
    let id = "x".repeat(1_000_000);
    let body = format!("{{\"id\":\"{id}\"}}");
    let long = identified(&["/id"], &body);
    assert_eq!(long.fallback, None);
    assert_ne!(long, identified(&["/id"], body.replace("xx\"", "xy\"")));
    let escaped = "\\u0078".repeat(170_000);
    assert_same(
        &["/id"],
        &[&format!("{{\"id\":\"{escaped}\"}}"), &format!("{{\"id\":\"{}\"}}", "x".repeat(170_000))],
    );
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 100_000;
        let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert_same(&["/id"], &[&format!("{{\"x\":{deep},\"id\":1}}"), r#"{"id":1}"#]);
        assert_falls_back(&["/id"], format!("{{\"id\":{deep}}}"), Fallback::Unusable { field: "/id".into() });
    }
    assert_falls_back(&["/a"], "[".repeat(1_000_000), Fallback::NotJson);
    let many = "{\"id\":1,".to_owned() + &"\"x\":1,".repeat(150_000) + "\"y\":2}";
    assert_same(&["/id"], &[&many, r#"{"id":1}"#]);
    let long_array = format!("{{\"a\":[{}7]}}", "1,".repeat(400_000));
    assert_same(&["/a/400000"], &[&long_array]);
}

const POINTERS: [&[&str]; 4] = [&["/id"], &["/a/id"], &["/a/0/id", "/id"], &["/a~1b", "/id/id"]];

/// Text that is nearly always JSON, with the names that the pointers look for.
fn json() -> impl Strategy<Value = String> {
    let names = || select(vec!["id", "\\u0069d", "a", "a/b", "0", "other"]);
    let scalar = prop_oneof![
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "[a-z]{0,3}".prop_map(|text| format!("\"{text}\"")),
        select(vec!["null", "true", "\"\\u0061\"", "\"\\ud800\"", "\"\\n\"", "tru", ""])
            .prop_map(str::to_owned),
    ];
    scalar.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            3 => vec((names(), inner.clone()), 0..4).prop_map(|members| {
                let members = members.iter().map(|(name, value)| format!("\"{name}\": {value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
            1 => vec(inner, 0..3).prop_map(|elements| format!("[{}]", elements.join(" ,"))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_an_identity(body in vec(any::<u8>(), 0..100), pointers in select(POINTERS.to_vec())) {
        let this = identified(pointers, &body);
        prop_assert_eq!(this.fallback.is_some(), this.identity == digest(&body).identity);
    }

    /// `serde_json`'s document of the same body takes the last of two equal names and has no numbers as written: where it finds
    /// usable values, a body of nothing but these is the same delivery.
    #[test]
    fn an_identity_is_that_of_the_fields_which_another_reader_finds(body in json(), pointers in select(POINTERS.to_vec())) {
        let this = identified(pointers, &body);
        match (serde_json::from_str::<Value>(&body), this.fallback) {
            (Ok(document), None) => {
                for pointer in pointers {
                    let value = document.pointer(pointer).unwrap();
                    prop_assert!(value.is_number() || value.as_str().is_some_and(|text| !text.is_empty()));
                }
            }
            (Ok(document), Some(Fallback::Missing { field })) => prop_assert_eq!(document.pointer(&field), None),
            (Ok(document), Some(Fallback::Unusable { field })) => {
                let value = document.pointer(&field).unwrap();
                prop_assert!(!value.is_number() && value.as_str().is_none_or(str::is_empty));
            }
            (Ok(_), Some(Fallback::NotJson)) => prop_assert!(false, "it is JSON"),
            _ => {}
        }
    }

    #[test]
    fn writing_a_body_anew_does_not_change_its_identity(id in "\\PC{1,20}", account in any::<u64>(), other in json()) {
        let pretty = serde_json::json!({ "id": id, "account": account, "z": [1, { "id": 2 }] });
        let first = identified(&["/account", "/id"], serde_json::to_string_pretty(&pretty).unwrap());
        prop_assert_eq!(&first.fallback, &None);
        let escaped = id.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat();
        let anew = format!("{{\"x\":[1],\"account\":{account},\"id\":\"{escaped}\"}}");
        prop_assert_eq!(&identified(&["/account", "/id"], anew), &first);
        if serde_json::from_str::<Value>(&other).is_ok() {
            let within = format!("{{\"other\":{other},\"account\":{account},\"id\":\"{escaped}\"}}");
            prop_assert_eq!(&identified(&["/account", "/id"], within), &first);
        }
        let changed = format!("{{\"account\":{account},\"id\":\"{escaped}!\"}}");
        prop_assert_ne!(&identified(&["/account", "/id"], changed), &first);
    }
}
