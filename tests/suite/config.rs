//! Verifiers from configuration files: the same from TOML, JSON and YAML, and an error that names the field.

use std::{env, fs, process::Command};

use countersign::{Config, RejectionKind, Secret, Signer, Verifier, senders};

use crate::harness::{Delivery, Outcome, SURFACES, hmac_delivery, now};

fn read(toml: &str) -> Result<Verifier, String> {
    let config: Config = toml::from_str(toml).map_err(|error: toml::de::Error| error.message().to_owned())?;
    config.verifier().map_err(|error| error.to_string())
}

const ACME_TOML: &str = r#"
    [[senders]]
    body_limit = 4096
    keys = [
        { id = "old", secret = { insecure_inline = "bygone" }, expires_at = 2026-01-31T00:00:00Z },
        { id = "new", secret = { insecure_inline = "736563726574" }, not_before = "2026-01-01T00:00:00+02:00" },
    ]

    [senders.scheme]
    name = "acme"
    signature_header = "X-Acme-Signature"
    list = { separator = ",", label = "v1", assignment = "=" }
    encoding = "base64url-unpadded"
    algorithm = "hmac-sha512"
    timestamp = { item = "t", format = "milliseconds", tolerance = { past_seconds = 300, future_seconds = 60 } }
    content = [{ header = "X-Acme-Id" }, { literal = ":" }, "timestamp", { literal = ":" }, "body"]
"#;

const ACME_JSON: &str = r#"{"senders": [{
    "body_limit": 4096,
    "keys": [
        {"id": "old", "secret": {"insecure_inline": "bygone"}, "expires_at": "2026-01-31T00:00:00Z"},
        {"id": "new", "secret": {"insecure_inline": "736563726574"}, "not_before": "2026-01-01T00:00:00+02:00"}
    ],
    "scheme": {
        "name": "acme",
        "signature_header": "X-Acme-Signature",
        "list": {"separator": ",", "label": "v1", "assignment": "="},
        "encoding": "base64url-unpadded",
        "algorithm": "hmac-sha512",
        "timestamp": {
            "item": "t", "format": "milliseconds", "tolerance": {"past_seconds": 300, "future_seconds": 60}
        },
        "content": [{"header": "X-Acme-Id"}, {"literal": ":"}, "timestamp", {"literal": ":"}, "body"]
    }
}]}"#;

const ACME_YAML: &str = r#"
senders:
  - body_limit: 4096
    keys:
      - {id: old, secret: {insecure_inline: bygone}, expires_at: "2026-01-31T00:00:00Z"}
      - id: new
        secret: {insecure_inline: "736563726574"}
        not_before: "2026-01-01T00:00:00+02:00"
    scheme:
      name: acme
      signature_header: X-Acme-Signature
      list: {separator: ",", label: v1, assignment: "="}
      encoding: base64url-unpadded
      algorithm: hmac-sha512
      timestamp:
        item: t
        format: milliseconds
        tolerance: {past_seconds: 300, future_seconds: 60}
      content: [{header: X-Acme-Id}, {literal: ":"}, timestamp, {literal: ":"}, body]
"#;

#[test]
fn the_same_verifier_comes_from_toml_json_and_yaml() {
    let configs: [Config; 3] = [
        toml::from_str(ACME_TOML).unwrap(),
        serde_json::from_str(ACME_JSON).unwrap(),
        serde_saphyr::from_str(ACME_YAML).unwrap(),
    ];
    let mut shown = Vec::new();
    for config in configs {
        let verifier = config.verifier().unwrap();
        let scheme = verifier.schemes().next().unwrap().clone();
        let signed = |secret: &str| {
            let signer =
                Signer::new(scheme.clone(), [Secret::new(secret)]).unwrap().header("X-Acme-Id", "e1");
            Delivery::new(signer.headers(b"body", now()).unwrap(), "body")
        };
        for surface in SURFACES {
            let outcome = (surface.deliver)(&verifier, &signed("736563726574"));
            assert_eq!(outcome, Outcome::verified("new", b"body".to_vec()), "{}", surface.name);
            let outcome = (surface.deliver)(&verifier, &signed("bygone"));
            assert_eq!(outcome, Outcome::rejected(RejectionKind::KeyExpired), "{}", surface.name);
        }
        assert_eq!(verifier.body_limit(), 4096);
        let debug = format!("{config:?}");
        assert!(!debug.contains("bygone") && !debug.contains("736563726574"), "{debug}");
        shown.push(format!("{verifier:?} {:?}", verifier.schemes().collect::<Vec<_>>()));
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0], shown[2]);
}

#[test]
fn several_senders_by_name_and_their_order() {
    let two = r#"
        [[senders]]
        sender = "square"
        url = "https://example.com/hook"
        keys = [{ id = "k", secret = { insecure_inline = "a" } }]
        [[senders]]
        sender = "github"
        header = "X-Renamed"
        keys = [{ id = "k", secret = { insecure_inline = "b" } }]
    "#;
    let square = hmac_delivery(senders::square("https://example.com/hook"), "a", "body");
    let github = hmac_delivery(senders::github().header("X-Renamed"), "b", "body");
    let both =
        Delivery { headers: [github.headers.clone(), square.headers.clone()].concat(), ..square.clone() };
    let deliver = |on_several: &str, sent: &Delivery| {
        (SURFACES[0].deliver)(&read(&format!("{on_several}\n{two}")).unwrap(), sent)
    };
    let verified = Outcome::verified("k", b"body".to_vec());
    for sent in [&square, &github] {
        assert_eq!(deliver("", sent), verified);
        assert_eq!(deliver("on_several = \"take-first\"", sent), verified);
    }
    for reject in ["", "on_several = \"reject\""] {
        assert_eq!(deliver(reject, &both), Outcome::rejected(RejectionKind::SenderAmbiguous));
    }
    assert_eq!(deliver("on_several = \"take-first\"", &both), verified);
}

#[test]
fn every_named_sender_can_be_named() {
    let folder = crate::harness::vectors_folder().join("keys");
    for name in senders::names() {
        let url = match name {
            "square" | "twilio-form" | "twilio-json" | "hubspot-v3" => "url = \"https://example.com\"",
            _ => "",
        };
        let key = match name {
            "fluent" | "fluent-legacy-md5" => {
                format!("public_key = {{ file = {:?} }}", folder.join("rsa-1024-public.pem"))
            }
            "discord" | "standard-webhooks-ed25519" => {
                "public_key = { inline = \"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=\" }".to_owned()
            }
            "sendgrid" => format!("public_key = {{ file = {:?} }}", folder.join("p256-public.pem")),
            _ => "secret = { insecure_inline = \"c2VjcmV0\" }".to_owned(),
        };
        let toml = format!("[[senders]]\nsender = {name:?}\n{url}\nkeys = [{{ id = \"k\", {key} }}]");
        let verifier = read(&toml).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verifier.schemes().next().unwrap().name(), name);
    }
}

/// One mistake in a configuration that is right, and the message for it.
#[test]
fn every_mistake_names_its_field() {
    let right = r#"
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
    assert!(read(right).is_ok(), "{:?}", read(right));
    let inline = "secret = { insecure_inline = \"s3cret\" }";
    let tolerance = "{ seconds = 300 }";
    let bare = "senders[0].keys[0].secret: a secret does not belong in the configuration: use { env = \"VARIABLE\" } or { file = \
                \"PATH\" }, or where it is no secret { insecure_inline = \"…\" }";
    let scheme = |field: &str, mistake: &str| format!("senders[0].scheme.{field}: {mistake}");
    let cases: &[(&str, &str, String)] = &[
        (inline, "secret = \"s3cret\"", bare.to_owned()),
        (inline, "secret = 12345678", bare.to_owned()),
        (inline, "secret = [\"s3cret\"]", bare.to_owned()),
        (inline, "secret = { inline = \"s3cret\" }", bare.to_owned()),
        (
            inline,
            "secret = { insecure_inline = \"\" }",
            "senders[0].keys: the secret of key \"k\" of acme is empty, or zero bytes only, so that anybody could sign with it: \
             set it to the one that the sender gave you"
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
            "senders[0].keys[0].secret: file \"/nowhere/at all\" cannot be read: entity not found".to_owned(),
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
        (inline, "note = 1", "unknown field `note`, expected one of `id`, `secret`, `public_key`, `not_before`, `expires_at`".to_owned()),
        (
            inline,
            "expires_at = \"tomorrow\", secret = { insecure_inline = \"x\" }",
            "senders[0].keys[0].expires_at: it is no RFC 3339 instant: write \"2027-01-31T00:00:00Z\"".to_owned(),
        ),
        ("{ id = \"k\", secret = { insecure_inline = \"s3cret\" } }", "\"s3cret\"", "senders[0].keys[0]: it is no table".to_owned()),
        (
            "{ id = \"k\", secret = { insecure_inline = \"s3cret\" } }",
            "",
            "senders[0].keys: acme was given no key: give it at least one".to_owned(),
        ),
        ("{ id = \"k\", ", "{ id = \"k\", public_key = { inline = \"x\" }, ", "senders[0].keys[0].secret: give a secret or a public_key, and not both".to_owned()),
        ("id = \"k\", ", "", "missing field `id`".to_owned()),
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
                "there is no \"hexx\": use one of hex, hex-upper, base64, base64-unpadded, base64-padding-optional, base64url, \
                 base64url-unpadded, base64url-padding-optional",
            ),
        ),
        (
            "\"hmac-sha256\"",
            "\"sha256\"",
            scheme(
                "algorithm",
                "there is no \"sha256\": use one of hmac-sha256, hmac-sha384, hmac-sha512, legacy-hmac-sha1, rsa-pkcs1-sha256, \
                 rsa-pkcs1-sha512, rsa-pss-sha256, legacy-rsa-pkcs1-md5, ecdsa-p256-sha256, ecdsa-p256-sha256-fixed, ed25519, \
                 unsigned-token",
            ),
        ),
        (
            "\"hmac-sha256\"",
            "\"unsigned-token\"",
            scheme("algorithm", "a static token has a name and a signature_header, and nothing else"),
        ),
        ("\"hmac-sha256\"", "\"ed25519\"", "senders[0].keys: key \"k\" does not fit acme: give the scheme an Ed25519 key".to_owned()),
        (
            tolerance,
            "{ past_seconds = 1 }",
            scheme("timestamp.tolerance", "give seconds, or past_seconds and future_seconds, or dangerously_unlimited = true"),
        ),
        (
            tolerance,
            "{ dangerously_unlimited = false }",
            scheme("timestamp.tolerance", "give seconds, or past_seconds and future_seconds, or dangerously_unlimited = true"),
        ),
        (tolerance, "{ minutes = 5 }", "unknown field `minutes`, expected one of `seconds`, `past_seconds`, `future_seconds`, `dangerously_unlimited`".to_owned()),
        (", tolerance = { seconds = 300 }", "", "missing field `tolerance`".to_owned()),
        (
            "\"seconds\"",
            "\"unix\"",
            scheme("timestamp.format", "there is no \"unix\": use one of seconds, milliseconds, rfc3339, any"),
        ),
        (
            "header = \"X-Time\"",
            "header = \"X-Time\", item = \"t\"",
            scheme("timestamp.header", "give the timestamp's header, or its item in the list, and not both"),
        ),
        ("\"timestamp\", { literal = \".\" }, ", "", scheme("content", "it does not sign the timestamp: add it as a part")),
        (
            "\"body\"]",
            "\"bdy\"]",
            "content: \"bdy\" is no part: use one of timestamp, method, path, query, body, sorted-form; a text of your own is { \
             literal = \"bdy\" }"
                .to_owned(),
        ),
        ("{ literal = \".\" }", "{ literal = \".\", url = \"x\" }", "content: a part has one of literal, header and url".to_owned()),
        ("name = \"acme\"", "name = \"acme\"\nsecret_prefix = \"x\"", scheme("secret_prefix", "it goes with secret_form = \"base64\"")),
        ("name = \"acme\"", "name = \"acme\"\nsecret_form = \"raw\"", scheme("secret_form", "there is no \"raw\": use one of text, base64, hex")),
        (
            "name = \"acme\"",
            "name = \"acme\"\nlist = { separator = \",\", label = \"v1\" }",
            scheme("list", "give label and assignment together, or neither"),
        ),
        (
            "[senders.scheme]",
            "sender = \"github\"\n[senders.scheme]",
            "senders[0].sender: name a sender, or spell out a scheme, and not both".to_owned(),
        ),
        (
            "[senders.scheme]",
            "url = \"https://a\"\n[senders.scheme]",
            "senders[0].url: a scheme has its address in its content: { url = \"…\" }".to_owned(),
        ),
        ("[senders.scheme]", "body_limit = 0\n[senders.scheme]", "senders[0].body_limit: a body limit of 0 bytes refuses every delivery: raise it".to_owned()),
        ("[senders.scheme]", "bodylimit = 1\n[senders.scheme]", "unknown field `bodylimit`, expected one of `sender`, `url`, `scheme`, `keys`, `header`, `tolerance`, `body_limit`".to_owned()),
    ];
    for (from, to, message) in cases {
        assert!(right.contains(from), "{from}");
        let error = read(&right.replacen(from, to, 1)).unwrap_err();
        assert_eq!(&error, message, "{to}");
        assert!(!error.contains("s3cret") && !error.contains("12345678"), "{error}");
    }
}

#[test]
fn mistakes_in_a_named_sender_and_in_the_whole_name_their_field() {
    let sender = |lines: &str| {
        read(&format!(
            "[[senders]]\n{lines}\nkeys = [{{ id = \"k\", secret = {{ insecure_inline = \"s\" }} }}]"
        ))
    };
    let github = "sender = \"github\"";
    for (result, message) in [
        (
            read("senders = []"),
            "senders: a verifier of no sender refuses every delivery: give it at least one",
        ),
        (read("senders = [\"github\"]"), "senders[0]: it is no table"),
        (
            read("on_several = \"first\"\nsenders = []"),
            "on_several: there is no \"first\": use one of reject, take-first",
        ),
        (read("sender = \"github\""), "unknown field `sender`, expected `senders` or `on_several`"),
        (
            sender("sender = \"square\""),
            "senders[0].url: it is missing: the sender signs the address that it has on file",
        ),
        (
            sender("sender = \"square\"\nurl = \"example.com\""),
            "senders[0].scheme: scheme \"square\", url: it is not an address that begins with https:// or http://",
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
        (sender(""), "senders[0].sender: name a sender, or spell out a scheme, and not both"),
    ] {
        assert_eq!(result.unwrap_err(), message);
    }
    let unknown = sender("sender = \"gihub\"").unwrap_err();
    assert!(
        unknown.starts_with("senders[0].sender: there is none of this name: use one of moduslink, "),
        "{unknown}"
    );
}

#[test]
fn a_static_token_can_be_spelt_out() {
    let token = r#"
        [[senders]]
        scheme = { name = "lab", signature_header = "X-Token", algorithm = "unsigned-token" }
        keys = [{ id = "k", secret = { insecure_inline = "t0ken" } }]
    "#;
    let verifier = read(token).unwrap();
    let sent = Delivery::new([("X-Token".to_owned(), "t0ken".to_owned())], "body");
    assert_eq!((SURFACES[0].deliver)(&verifier, &sent), Outcome::verified("k", b"body".to_vec()));
}

/// A file as secret stores mount them: its line end is not a part of the secret, everything else is.
#[test]
fn a_secret_from_a_file_is_its_content_without_one_line_end() {
    let folder = env::temp_dir().join(format!("countersign-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("secret");
    let verdict = |content: &str| {
        fs::write(&file, content).unwrap();
        let toml = format!(
            "[[senders]]\nsender = \"github\"\nkeys = [{{ id = \"k\", secret = {{ file = {file:?} }} }}]"
        );
        let sent = hmac_delivery(senders::github(), "s3cret", "body");
        read(&toml).map(|verifier| (SURFACES[0].deliver)(&verifier, &sent).verdict.map(drop))
    };
    for content in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        assert_eq!(verdict(content), Ok(Ok(())), "{content:?}");
    }
    for content in ["s3cret\n\n", " s3cret", "s3cret\n\r"] {
        assert_eq!(verdict(content), Ok(Err(RejectionKind::SignatureMismatch)), "{content:?}");
    }
    for content in ["", "\n"] {
        let error = verdict(content).unwrap_err();
        assert_eq!(
            error,
            format!(
                "senders[0].keys[0].secret: file {file:?} is empty: put the key into it that the sender gave you"
            )
        );
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// In a process of its own, since a variable is set for a whole one.
#[test]
fn a_secret_from_the_environment_is_its_value() {
    const VARIABLE: &str = "COUNTERSIGN_CONFIG_TEST";
    let toml = format!(
        "[[senders]]\nsender = \"github\"\nkeys = [{{ id = \"k\", secret = {{ env = {VARIABLE:?} }} }}]"
    );
    if env::var_os(VARIABLE).is_some() {
        let sent = hmac_delivery(senders::github(), "s3cret", "body");
        let outcome = (SURFACES[0].deliver)(&read(&toml).unwrap(), &sent);
        assert_eq!(outcome, Outcome::verified("k", b"body".to_vec()));
        return;
    }
    let test = "config::a_secret_from_the_environment_is_its_value";
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(VARIABLE, "s3cret")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && printed.contains("1 passed"), "{printed}");
}
