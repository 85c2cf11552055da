//! The table: a mistake, and the diagnosis that must come first.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use countersign::{
    Algorithm, Cause, Encoding, Hypothesis as H, Padding, Part, Scheme, SecretForm, SignatureList, Timestamp,
    TimestampFormat, Tolerance, senders,
};
use flate2::{Compression, write::GzEncoder};

use crate::broken::{Broken, SECRET, now, output};

const FIVE_MINUTES: Tolerance = Tolerance::within(Duration::from_secs(300));

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

fn acme() -> countersign::SchemeBuilder {
    Scheme::builder("acme")
        .signature_header("X-Acme-Signature")
        .encoding(Encoding::Hex)
        .algorithm(Algorithm::HmacSha256)
}

fn acme_with_time(format: TimestampFormat) -> countersign::SchemeBuilder {
    acme().timestamp(Timestamp::in_header("X-Acme-Time", format, FIVE_MINUTES)).content([
        Part::Timestamp,
        Part::literal("."),
        Part::Body,
    ])
}

fn minutes_from_now(minutes: i64) -> SystemTime {
    let apart = Duration::from_secs(minutes.unsigned_abs() * 60);
    if minutes < 0 { now() - apart } else { now() + apart }
}

fn listed(format: TimestampFormat) -> Scheme {
    acme()
        .list(SignatureList::separated_by(',').labelled("v1", '='))
        .timestamp(Timestamp::in_list("t", format, FIVE_MINUTES))
        .content([Part::Timestamp, Part::literal("."), Part::Body])
        .build()
        .unwrap()
}

fn acme_with_path() -> Scheme {
    acme()
        .content([Part::Path, Part::literal("\n"), Part::Query, Part::literal("\n"), Part::Body])
        .build()
        .unwrap()
}

fn form(form: SecretForm) -> Scheme {
    acme().secret_form(form).build().unwrap()
}

fn base64() -> SecretForm {
    SecretForm::Base64 { prefix: "whsec_".into() }
}

/// What happened, the delivery, and the diagnosis that must come first.
type Rows = Vec<(&'static str, Broken, H)>;

const COMPACT: &[u8] = br#"{"id":1,"note":"paid","tags":["a","b"]}"#;
const SPACED: &[u8] = br#"{"id": 1, "note": "paid", "tags": ["a", "b"]}"#;

fn bodies() -> Rows {
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

fn rewritten_bytes() -> Rows {
    vec![
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

fn secrets() -> Rows {
    let hex = "00112233445566778899aabbccddeeff";
    let bytes = base16ct::mixed::decode_vec(hex).unwrap();
    let key = || Broken::of(acme().build().unwrap(), COMPACT);
    let with = |sender: &[u8], held: &[u8]| Broken {
        sender_secret: sender.to_vec(),
        held_secret: held.to_vec(),
        ..key()
    };
    vec![
        ("echo into a secret's file", Broken::secret(SECRET, format!("{SECRET}\n")), H::SecretPadded),
        ("a pasted secret with blanks", Broken::secret(SECRET, format!("  {SECRET} ")), H::SecretPadded),
        ("a line end at the sender", Broken::secret(format!("{SECRET}\n"), SECRET), H::SecretLacksLineEnd),
        ("quotes in a docker --env-file", Broken::secret(SECRET, format!("\"{SECRET}\"")), H::SecretQuoted),
        ("quotes and a line end", Broken::secret(SECRET, format!("'{SECRET}'\n")), H::SecretQuoted),
        ("quotes at the sender", Broken::secret(format!("\"{SECRET}\""), SECRET), H::SecretLacksQuotes),
        (
            "a whole line of an env file",
            Broken::secret(SECRET, format!("WEBHOOK_SECRET={SECRET}")),
            H::SecretAssigned,
        ),
        (
            "a text secret with the prefix cut off",
            Broken::secret(format!("whsec_{SECRET}"), SECRET),
            H::SecretLacksPrefix,
        ),
        ("a text secret with a prefix added", Broken::secret("a!b!c!d", "whsec_a!b!c!d"), H::SecretPrefixed),
        ("hex used as text", with(&bytes, hex.as_bytes()), H::SecretIsHex),
        ("base64 used as text", with(b"secret of a sender", SECRET.as_bytes()), H::SecretIsBase64),
        (
            "whsec_ used as text",
            with(b"secret of a sender", format!("whsec_{SECRET}").as_bytes()),
            H::SecretIsBase64,
        ),
        ("text that was decoded from hex", with(hex.as_bytes(), &bytes), H::SecretWasHex),
        (
            "text that was decoded from base64",
            Broken::secret(SECRET, "secret of a sender"),
            H::SecretWasBase64,
        ),
        (
            "base64 decoded that is text",
            Broken::scheme(form(SecretForm::Text), form(base64())),
            H::SecretIsText,
        ),
        (
            "hex decoded that is text",
            Broken {
                sender_secret: hex.into(),
                held_secret: hex.into(),
                ..Broken::scheme(form(SecretForm::Text), form(SecretForm::Hex))
            },
            H::SecretIsText,
        ),
        (
            "the test mode's secret",
            Broken {
                held_secret: b"live".to_vec(),
                sender_secret: b"test".to_vec(),
                other_secrets: vec![("test", "test")],
                ..Broken::default()
            },
            H::AnotherKey,
        ),
    ]
}

fn seconds() -> Scheme {
    acme_with_time(TimestampFormat::Seconds).build().unwrap()
}

fn signatures() -> Rows {
    vec![
        (
            "hex instead of base64",
            Broken::scheme(
                acme().build().unwrap(),
                acme().encoding(Encoding::Base64(Padding::Required)).build().unwrap(),
            ),
            H::SignatureInHex,
        ),
        (
            "base64 instead of hex",
            Broken::scheme(
                acme().encoding(Encoding::Base64(Padding::Required)).build().unwrap(),
                acme().build().unwrap(),
            ),
            H::SignatureInBase64,
        ),
        (
            "URL-safe base64 instead of hex",
            Broken::scheme(
                acme().encoding(Encoding::Base64Url(Padding::Absent)).build().unwrap(),
                acme().build().unwrap(),
            ),
            H::SignatureInBase64Url,
        ),
        (
            "no prefix",
            Broken {
                rewrite: |value| value.replace("sha256=", ""),
                ..Broken::of(senders::github(), COMPACT)
            },
            H::SignatureLacksPrefix,
        ),
        (
            "an unexpected prefix",
            Broken {
                rewrite: |value| format!("sha256={value}"),
                ..Broken::of(acme().build().unwrap(), COMPACT)
            },
            H::SignaturePrefixed,
        ),
        (
            "SHA-1 for SHA-256",
            Broken::scheme(
                acme().algorithm(Algorithm::LegacyHmacSha1).build().unwrap(),
                acme().build().unwrap(),
            ),
            H::AnotherAlgorithm,
        ),
        (
            "SHA-512 for SHA-256",
            Broken::scheme(acme().algorithm(Algorithm::HmacSha512).build().unwrap(), acme().build().unwrap()),
            H::AnotherAlgorithm,
        ),
        (
            "a hand-written client that signs the body only",
            Broken {
                added_headers: vec![("X-Acme-Time", "1760000000")],
                ..Broken::scheme(acme().build().unwrap(), seconds())
            },
            H::OnlyBodySigned,
        ),
        (
            "no dot after the timestamp",
            Broken::scheme(
                acme_with_time(TimestampFormat::Seconds)
                    .content([Part::Timestamp, Part::Body])
                    .build()
                    .unwrap(),
                seconds(),
            ),
            H::PartsNotSeparated,
        ),
    ]
}

fn times() -> Rows {
    let at = |minutes: i64, scheme: Scheme| Broken {
        signed_at: minutes_from_now(minutes),
        ..Broken::of(scheme, COMPACT)
    };
    let time = |format| acme_with_time(format).build().unwrap();
    vec![
        (
            "Date.now() for seconds",
            Broken::scheme(time(TimestampFormat::Milliseconds), seconds()),
            H::TimestampInMilliseconds,
        ),
        (
            "time.time() for milliseconds",
            Broken::scheme(seconds(), time(TimestampFormat::Milliseconds)),
            H::TimestampInSeconds,
        ),
        (
            "an ISO timestamp for seconds",
            Broken::scheme(time(TimestampFormat::Rfc3339), seconds()),
            H::TimestampInRfc3339,
        ),
        (
            "Date.now() in a list of labels",
            Broken::scheme(listed(TimestampFormat::Milliseconds), listed(TimestampFormat::Seconds)),
            H::TimestampInMilliseconds,
        ),
        (
            "a padded secret and a rewritten body",
            Broken { held_secret: format!("{SECRET}\n").into(), ..Broken::body(SPACED, COMPACT) },
            H::SecretPadded,
        ),
        ("local time as UTC, two hours ahead", at(120, seconds()), H::ClockOffByZone),
        ("local time as UTC, five and a half hours behind", at(-330, senders::stripe()), H::ClockOffByZone),
        ("a delivery from a queue", at(-24, senders::stripe()), H::DeliveryLate),
        ("a receiver's clock that stands", at(24, senders::stripe()), H::ClockWrong),
    ]
}

fn addresses() -> Rows {
    let square = |sender: &'static str, receiver: &'static str| {
        Broken::scheme(senders::square(sender), senders::square(receiver))
    };
    let target = |signed, arrived| Broken {
        signed_target: signed,
        target: arrived,
        ..Broken::of(acme_with_path(), COMPACT)
    };
    vec![
        (
            "TLS ends at the proxy",
            square("https://a.test/hooks?id=1", "http://a.test/hooks?id=1"),
            H::UrlScheme,
        ),
        (
            "the internal host",
            Broken {
                added_headers: vec![("X-Forwarded-Host", "a.test")],
                ..square("https://a.test/hooks", "https://internal/hooks")
            },
            H::UrlHost,
        ),
        (
            "the internal host and http",
            Broken {
                added_headers: vec![("Host", "a.test")],
                ..square("https://a.test/hooks", "http://10.0.0.1/hooks")
            },
            H::UrlHost,
        ),
        ("the port of the process", square("https://a.test/hooks", "https://a.test:8080/hooks"), H::UrlPort),
        ("a slash at the end", square("https://a.test/hooks/", "https://a.test/hooks"), H::UrlPath),
        ("the query left out", square("https://a.test/hooks?id=1", "https://a.test/hooks"), H::UrlPath),
        (
            "nginx strips a prefix",
            Broken {
                added_headers: vec![("X-Forwarded-Prefix", "/api")],
                ..target("/api/hooks?id=1", "/hooks?id=1")
            },
            H::TargetChanged,
        ),
        (
            "a rewrite that keeps the original",
            Broken {
                added_headers: vec![("X-Original-URI", "/in/shop?id=1")],
                ..target("/in/shop?id=1", "/hooks?id=1")
            },
            H::TargetChanged,
        ),
        ("a redirect to a slash", target("/hooks/?id=1", "/hooks?id=1"), H::TargetChanged),
        (
            "GitHub's delivery at Shopify's address",
            Broken::scheme(senders::github(), senders::shopify()),
            H::AnotherSender,
        ),
        (
            "BigCommerce's scheme for Standard Webhooks",
            Broken {
                sender_secret: SECRET.into(),
                signed_headers: vec![("webhook-id", "msg_1")],
                ..Broken::scheme(senders::standard_webhooks(), senders::bigcommerce())
            },
            H::AnotherSender,
        ),
    ]
}

#[test]
fn each_broken_delivery_is_explained_by_the_mistake_that_broke_it() {
    let rows: Vec<_> = [bodies(), rewritten_bytes(), secrets(), signatures(), times(), addresses()]
        .into_iter()
        .flatten()
        .collect();
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(name, broken, expected)| {
            let explanation = broken.explain();
            let first = explanation.causes().first().map(Cause::hypothesis);
            (first != Some(*expected))
                .then(|| format!("{name}: wanted {}\n{explanation}\n", expected.as_str()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), rows.len(), wrong.concat());
    assert!(rows.len() >= 60, "{}", rows.len());
}

const PYTHON: &str = "import json,sys; sys.stdout.write(json.dumps(json.load(sys.stdin)))";
const NODE: &str = "process.stdout.write(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8'))))";

/// What happened, a program with its arguments, the signed body that it gets, and the diagnosis that must come first.
type Program = (&'static str, &'static str, &'static [&'static str], &'static [u8], H);

#[test]
fn what_real_programs_make_of_a_body_is_explained() {
    let accented = r#"{"city":"Málaga","url":"a/b"}"#.as_bytes();
    let rows: [Program; 6] = [
        ("Python re-serialises a compact body", "python3", &["-c", PYTHON], COMPACT, H::BodyMinified),
        ("Python escapes what was UTF-8", "python3", &["-c", PYTHON], accented, H::BodyMinified),
        ("Node re-serialises Python's body", "node", &["-e", NODE], SPACED, H::BodySpaced),
        ("jq indents", "jq", &["."], COMPACT, H::BodyMinified),
        ("a shell's echo adds a line end", "sh", &["-c", "echo \"$(cat)\""], COMPACT, H::BodyPadded),
        (
            "a shell's substitution drops the line end",
            "sh",
            &["-c", "printf %s \"$(cat)\""],
            b"{}\n",
            H::BodyLacksLineEnd,
        ),
    ];
    for (name, program, arguments, signed, expected) in rows {
        if let Some(arrived) = output(program, arguments, signed) {
            assert_ne!(arrived, signed, "{name}");
            Broken::body(signed, arrived).is_explained_by(name, expected);
        }
    }
}
