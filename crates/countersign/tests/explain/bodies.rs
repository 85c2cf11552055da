//! Bodies that were changed after they were signed.

use std::io::Write;

use countersign::Hypothesis as H;
use flate2::{Compression, write::GzEncoder};

use crate::{
    broken::{Broken, Rows},
    schemes::{COMPACT, SPACED},
};

pub(crate) fn rewritten() -> Rows {
    let accented = "{\"city\":\"Málaga 😀\"}";
    vec![
        (
            "axum::Json and back, of Python's json.dumps",
            Broken::body(SPACED, round_trip(SPACED)),
            H::BodySpaced,
        ),
        (
            "serde_json::to_vec_pretty, of a compact body",
            Broken::body(COMPACT, pretty(COMPACT)),
            H::BodyMinified,
        ),
        (
            "serde_json round trip, of a body with 2 spaces",
            Broken::body(pretty(COMPACT), COMPACT),
            H::BodyIndented,
        ),
        (
            "round trip of a body with 4 spaces",
            Broken::body("{\n    \"id\": 1\n}", "{\"id\":1}"),
            H::BodyIndented,
        ),
        (
            "round trip of a body with tabs",
            Broken::body("{\n\t\"id\": [\n\t\t1\n\t]\n}", "{\"id\":[1]}"),
            H::BodyIndented,
        ),
        (
            "round trip of an indented body that ends in a line end",
            Broken::body("{\n  \"id\": 1\n}\n", "{\"id\":1}"),
            H::BodyIndented,
        ),
        (
            "sorted keys signed, insertion order sent",
            Broken::body(r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{"b":{"d":3,"c":2},"a":1}"#),
            H::BodyKeysSorted,
        ),
        (
            "numbers keep their text in a rewritten body",
            Broken::body(r#"{"n": 1.0, "m": 1e3}"#, r#"{"n":1.0,"m":1e3}"#),
            H::BodySpaced,
        ),
        (
            "serde_json round trip, of PHP's slashes",
            Broken::body(r#"{"url":"https:\/\/a.test\/b"}"#, round_trip(br#"{"url":"https:\/\/a.test\/b"}"#)),
            H::BodySlashesEscaped,
        ),
        (
            "serde_json round trip, of escaped unicode",
            Broken::body(r#"{"city":"M\u00e1laga \ud83d\ude00"}"#, accented),
            H::BodyUnicodeEscaped,
        ),
        (
            "ensure_ascii of what was signed in UTF-8",
            Broken::body(accented, r#"{"city":"M\u00e1laga \ud83d\ude00"}"#),
            H::BodyUnescaped,
        ),
        (
            "serde_json round trip, of Go's HTML escapes",
            Broken::body(r#"{"a":"\u003cb\u003e \u0026"}"#, r#"{"a":"<b> &"}"#),
            H::BodyHtmlEscaped,
        ),
        (
            "Python's json.dumps with escapes, minified",
            Broken::body(r#"{"a": "é", "b": 1}"#.replace('é', "\\u00e9"), r#"{"a":"é","b":1}"#),
            H::BodySpaced,
        ),
        (
            "JSON.stringify twice",
            Broken::body(COMPACT, serde_json::to_vec(str::from_utf8(COMPACT).unwrap()).unwrap()),
            H::BodyQuoted,
        ),
    ]
}

pub(crate) fn changed() -> Rows {
    vec![
        (
            "an editor ends the file in a line end",
            Broken::body(COMPACT, [COMPACT, b"\n"].concat()),
            H::BodyPadded,
        ),
        (
            "a template puts blanks around the body",
            Broken::body(COMPACT, [b"  ", COMPACT, b"\r\n"].concat()),
            H::BodyPadded,
        ),
        ("a trimmed body", Broken::body("{\"id\":1}\n", "{\"id\":1}"), H::BodyLacksLineEnd),
        ("a trimmed body with CRLF", Broken::body("{\"id\":1}\r\n", "{\"id\":1}"), H::BodyLacksLineEnd),
        ("git's autocrlf on a fixture", Broken::body("a\nb\n", "a\r\nb\r\n"), H::BodyHasCrlf),
        ("dos2unix on a fixture", Broken::body("a\r\nb\r\n", "a\nb\n"), H::BodyLacksCrlf),
        (
            "PowerShell's Out-File with its mark",
            Broken::body(COMPACT, [b"\xef\xbb\xbf", COMPACT].concat()),
            H::BodyHasBom,
        ),
        (
            "decoding as utf-8-sig",
            Broken::body([b"\xef\xbb\xbf", COMPACT].concat(), COMPACT),
            H::BodyLacksBom,
        ),
        ("Latin-1 made UTF-8", Broken::body(b"name=Ren\xe9", "name=René"), H::BodyWasLatin1),
        ("UTF-8 made Latin-1", Broken::body("name=René", b"name=Ren\xe9"), H::BodyWasUtf8),
        (
            "UTF-8 read as Latin-1 and written as UTF-8",
            Broken::body("name=René", "name=RenÃ©"),
            H::BodyWasLatin1,
        ),
        ("nginx's gzip after signing", Broken::body(COMPACT, gzip(COMPACT)), H::BodyCompressed),
        (
            "a decompressing proxy",
            Broken {
                added_headers: vec![("Content-Encoding", "gzip")],
                ..Broken::body(gzip(COMPACT), COMPACT)
            },
            H::BodyDecompressed,
        ),
        (
            "a truncated body",
            Broken { added_headers: vec![("Content-Length", "39")], ..Broken::body(COMPACT, &COMPACT[..20]) },
            H::BodyLengthChanged,
        ),
        (
            "String::from_utf8_lossy",
            Broken::body(b"n=\xe9\xff", String::from_utf8_lossy(b"n=\xe9\xff").into_owned()),
            H::BodyLossy,
        ),
        ("signed before the body was written", Broken::body("", COMPACT), H::BodyNotSigned),
    ]
}

fn round_trip(body: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::from_slice::<serde_json::Value>(body).unwrap()).unwrap()
}

fn pretty(body: &[u8]) -> Vec<u8> {
    serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(body).unwrap()).unwrap()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
