//! Errors in a configuration name the field and show no value that could be a secret.

use crate::config::read;

const RIGHT: &str = r#"
        [[senders]]
        keys = [{ id = "k", secret = { insecure_inline = "s3cret" } }]
        [senders.scheme]
        name = "acme"
        signature_header = "X-Acme"
        encoding = "hex"
        algorithm = "hmac-sha256"
        timestamp = { header = "X-Time", format = "seconds", tolerance = { seconds = 300 } }
        content = ["timestamp", { literal = "." }, "body"]
"#;

/// Each case replaces one text in [`RIGHT`] with another and states the message for that.
#[track_caller]
fn assert_mistakes(cases: &[(&str, &str, String)]) {
    assert!(read(RIGHT).is_ok(), "{:?}", read(RIGHT));
    for (from, to, message) in cases {
        assert!(RIGHT.contains(from), "{from}");
        let error = read(&RIGHT.replacen(from, to, 1)).unwrap_err();
        assert_eq!(&error, message, "{to}");
        assert!(!error.contains("s3cret") && !error.contains("12345678"), "{error}");
    }
}

fn scheme(field: &str, mistake: &str) -> String {
    format!("senders[0].scheme.{field}: {mistake}")
}

#[test]
fn a_secret_must_be_a_readable_reference() {
    let inline = "secret = { insecure_inline = \"s3cret\" }";
    let bare = "senders[0].keys[0].secret: a secret does not belong in the configuration: use { env = \"VARIABLE\" } or { file = \
                \"PATH\" }, or { insecure_inline = \"…\" } if it is not secret";
    assert_mistakes(&[
        (inline, "secret = \"s3cret\"", bare.to_owned()),
        (inline, "secret = 12345678", bare.to_owned()),
        (inline, "secret = [\"s3cret\"]", bare.to_owned()),
        (inline, "secret = { inline = \"s3cret\" }", bare.to_owned()),
        (
            inline,
            "secret = { insecure_inline = \"\" }",
            "senders[0].keys[0]: the secret of key \"k\" of acme is empty, blank or only zero bytes, so anyone could sign with it: \
             set it to the secret that the sender gave you"
                .to_owned(),
        ),
        (
            inline,
            "secret = { }",
            "senders[0].keys[0].secret: use { env = \"VARIABLE\" } or { file = \"PATH\" }".to_owned(),
        ),
        (
            inline,
            "secret = { env = \"A\", file = \"B\" }",
            "senders[0].keys[0].secret: use { env = \"VARIABLE\" } or { file = \"PATH\" }".to_owned(),
        ),
        (
            inline,
            "secret = { env = \"COUNTERSIGN_UNSET\" }",
            "senders[0].keys[0].secret: environment variable COUNTERSIGN_UNSET is not set: set it to the key that the sender \
             gave you"
                .to_owned(),
        ),
        (
            inline,
            "secret = { file = \"/nowhere/at all\" }",
            "senders[0].keys[0].secret: file \"/nowhere/at all\" cannot be read: entity not found: check its path and permissions".to_owned(),
        ),
        (
            inline,
            "public_key = { inline = \"zzz\" }",
            "senders[0].keys[0].public_key: not a usable public key: the text is neither PEM nor padded base64".to_owned(),
        ),
        (
            inline,
            "public_key = { insecure_inline = \"zzz\" }",
            "senders[0].keys[0].public_key: use { env = \"VARIABLE\" }, { file = \"PATH\" } or { inline = \"…\" }".to_owned(),
        ),
        (inline, "note = 1", "unknown field `note`, expected one of `id`, `secret`, `public_key`, `not_before`, `expires_at`, `dangerously_accept_placeholder`".to_owned()),
        (
            inline,
            "expires_at = \"tomorrow\", secret = { insecure_inline = \"x\" }",
            "senders[0].keys[0].expires_at: this is not an RFC 3339 instant: write \"2027-01-31T00:00:00Z\"".to_owned(),
        ),
    ]);
}

/// No error shows the value in a secret's place, whatever it is.
#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let inline = "{ insecure_inline = \"s3cret\" }";
    for wrong in
        ["{ insecure_inline = 83746519 }", "{ env = 83746519 }", "{ file = 83746519.5 }", "{ inline = true }"]
    {
        let error = read(&RIGHT.replacen(inline, wrong, 1)).unwrap_err();
        assert_eq!(error, "this is not a string: put it in quotes", "{wrong}");
    }
    for name in ["whsec_83746519", "a b", "8-3"] {
        let error = read(&RIGHT.replacen(inline, &format!("{{ env = {name:?} }}"), 1)).unwrap_err();
        assert_eq!(
            error,
            "senders[0].keys[0].secret: env names a variable that is not set and whose name is not in upper case; the name is \
             not shown because it may be a secret"
        );
    }
    let dated = RIGHT.replacen("id = \"k\"", "id = \"k\", expires_at = { a = \"2030-01-01T00:00:00Z\" }", 1);
    assert_eq!(read(&dated).unwrap_err(), "this is not an RFC 3339 instant");
    let url = "[[senders]]\nsender = \"square\"\nurl = \"https://user:hunter2@h/x\"\nkeys = []";
    let config: countersign::Config = toml::from_str(url).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_key_must_be_a_table_with_an_id() {
    assert_mistakes(&[
        (
            "{ id = \"k\", secret = { insecure_inline = \"s3cret\" } }",
            "\"s3cret\"",
            "senders[0].keys[0]: this is not a table".to_owned(),
        ),
        (
            "{ id = \"k\", secret = { insecure_inline = \"s3cret\" } }",
            "",
            "senders[0].keys: acme was given no key: give it at least one".to_owned(),
        ),
        (
            "{ id = \"k\", ",
            "{ id = \"k\", public_key = { inline = \"x\" }, ",
            "senders[0].keys[0].public_key: a key has a secret or a public key: remove one of them"
                .to_owned(),
        ),
        ("id = \"k\", ", "", "missing field `id`".to_owned()),
    ]);
}

#[test]
fn a_scheme_must_have_what_its_builder_requires() {
    assert_mistakes(&[
        ("name = \"acme\"", "", "missing field `name`".to_owned()),
        ("signature_header = \"X-Acme\"", "", scheme("signature_header", "it is missing")),
        (
            "signature_header = \"X-Acme\"",
            "signature_header = \"X Acme\"",
            scheme("signature_header", "\"X Acme\" is not an HTTP field name: use ASCII letters, digits and hyphens"),
        ),
        ("encoding = \"hex\"", "", scheme("encoding", "it is missing")),
        (
            "encoding = \"hex\"",
            "encoding = \"hexx\"",
            scheme(
                "encoding",
                "unknown value \"hexx\": use one of hex, hex-upper, base64, base64-unpadded, base64-padding-optional, base64url, \
                 base64url-unpadded, base64url-padding-optional",
            ),
        ),
        (
            "\"hmac-sha256\"",
            "\"sha256\"",
            scheme(
                "algorithm",
                "unknown value \"sha256\": use one of hmac-sha256, hmac-sha384, hmac-sha512, legacy-hmac-sha1, rsa-pkcs1-sha256, \
                 rsa-pkcs1-sha512, rsa-pss-sha256, legacy-rsa-pkcs1-md5, ecdsa-p256-sha256, ecdsa-p256-sha256-fixed, ed25519, \
                 unsigned-token",
            ),
        ),
        (
            "\"hmac-sha256\"",
            "\"unsigned-token\"",
            scheme("algorithm", "a static token allows only `name`, `signature_header`, `identity_scope` and `retry_horizon`"),
        ),
        ("\"hmac-sha256\"", "\"ed25519\"", "senders[0].keys[0]: key \"k\" does not fit acme, which needs an Ed25519 key".to_owned()),
        (
            "\"body\"]",
            "\"bdy\"]",
            "content: unknown part \"bdy\": use one of timestamp, method, path, query, body, sorted-form, or { literal = \
             \"bdy\" } for a fixed text"
                .to_owned(),
        ),
        ("{ literal = \".\" }", "{ literal = \".\", url = \"x\" }", "content: give a part exactly one of literal, header and url".to_owned()),
        ("name = \"acme\"", "name = \"acme\"\nsecret_prefix = \"x\"", scheme("secret_prefix", "it requires secret_form = \"base64\"")),
        ("name = \"acme\"", "name = \"acme\"\nsecret_form = \"raw\"", scheme("secret_form", "unknown value \"raw\": use one of text, base64, hex")),
        (
            "name = \"acme\"",
            "name = \"acme\"\nlist = { separator = \",\", label = \"v1\" }",
            scheme("list", "give both label and assignment, or neither"),
        ),
    ]);
}

#[test]
fn a_timestamp_must_have_a_place_a_format_and_a_tolerance() {
    let tolerance = "{ seconds = 300 }";
    assert_mistakes(&[
        (
            tolerance,
            "{ past_seconds = 1 }",
            scheme("timestamp.tolerance", "give either seconds, or past_seconds and future_seconds, or dangerously_unlimited = true"),
        ),
        (
            tolerance,
            "{ dangerously_unlimited = false }",
            scheme("timestamp.tolerance", "give either seconds, or past_seconds and future_seconds, or dangerously_unlimited = true"),
        ),
        (tolerance, "{ minutes = 5 }", "unknown field `minutes`, expected one of `seconds`, `past_seconds`, `future_seconds`, `dangerously_unlimited`".to_owned()),
        (", tolerance = { seconds = 300 }", "", "missing field `tolerance`".to_owned()),
        (
            "\"seconds\"",
            "\"unix\"",
            scheme("timestamp.format", "unknown value \"unix\": use one of seconds, milliseconds, rfc3339, any"),
        ),
        (
            "header = \"X-Time\"",
            "header = \"X-Time\", item = \"t\"",
            scheme("timestamp.item", "a timestamp has a header or an item: remove one of them"),
        ),
        ("\"timestamp\", { literal = \".\" }, ", "", scheme("content", "it does not sign the timestamp: add it as a part")),
    ]);
}

#[test]
fn a_sender_is_either_named_or_written_out() {
    assert_mistakes(&[
        (
            "[senders.scheme]",
            "sender = \"github\"\n[senders.scheme]",
            "senders[0].sender: give either `sender` or `scheme`, and not both".to_owned(),
        ),
        (
            "[senders.scheme]",
            "url = \"https://a\"\n[senders.scheme]",
            "senders[0].url: a scheme states its address in `content`, as { url = \"…\" }".to_owned(),
        ),
        ("[senders.scheme]", "body_limit = 0\n[senders.scheme]", "senders[0].body_limit: a body limit of 0 bytes rejects every delivery: raise it".to_owned()),
        ("[senders.scheme]", "bodylimit = 1\n[senders.scheme]", "unknown field `bodylimit`, expected one of `sender`, `url`, `scheme`, `keys`, `header`, `tolerance`, `identity`, `identity_scope`, `retry_horizon`, `body_limit`, `warn_before_expiry`".to_owned()),
    ]);
}

#[test]
fn mistakes_in_a_named_sender_or_at_the_top_level_name_their_field() {
    let sender = |lines: &str| {
        read(&format!(
            "[[senders]]\n{lines}\nkeys = [{{ id = \"k\", secret = {{ insecure_inline = \"s\" }} }}]"
        ))
    };
    let github = "sender = \"github\"";
    for (result, message) in [
        (
            read("senders = []"),
            "senders: a verifier without a sender rejects every delivery: give it at least one",
        ),
        (read("senders = [\"github\"]"), "senders[0]: this is not a table"),
        (
            read("on_several = \"first\"\nsenders = []"),
            "on_several: unknown value \"first\": use one of reject, take-first",
        ),
        (read("sender = \"github\""), "unknown field `sender`, expected `senders` or `on_several`"),
        (
            sender("sender = \"square\""),
            "senders[0].url: it is missing: give your address as configured at the sender, which signs it",
        ),
        (
            sender("sender = \"square\"\nurl = \"example.com\""),
            "senders[0].scheme: scheme \"square\", url: it does not begin with https:// or http://, or is not visible ASCII",
        ),
        (
            sender(&format!("{github}\nurl = \"https://a\"")),
            "senders[0].url: the sender does not sign it: remove it",
        ),
        (
            sender(&format!("{github}\nheader = \"X Y\"")),
            "senders[0].header: \"X Y\" is not an HTTP field name: use ASCII letters, digits and hyphens",
        ),
        (
            sender(&format!("{github}\ntolerance = {{ seconds = 1 }}")),
            "senders[0].tolerance: github signs no timestamp, so a tolerance has nothing to check: remove it",
        ),
        (sender(""), "senders[0].sender: give either `sender` or `scheme`, and not both"),
    ] {
        assert_eq!(result.unwrap_err(), message);
    }
    let unknown = sender("sender = \"gihub\"").unwrap_err();
    assert!(unknown.starts_with("senders[0].sender: unknown sender: use one of moduslink, "), "{unknown}");
}
