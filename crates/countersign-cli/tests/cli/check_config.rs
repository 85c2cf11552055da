//! `countersign check-config`

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    named::SECRET,
    program::{Program, Run},
};

/// Checks this file, with the variable `A` set.
fn check(text: &str, arguments: &[&str]) -> (PathBuf, Run) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    fs::write(&file, text).unwrap();
    let program = Program::new(["check-config".into(), file.clone().into_os_string()]);
    (file, program.args(arguments).env("A", SECRET).run())
}

#[track_caller]
fn is_mistake(text: &str, line: usize, message: &str) {
    let (file, run) = check(text, &[]);
    assert_eq!((run.status, &*run.stdout), (2, ""), "{text}: {run:?}");
    let start = format!("error: {}:{line}: {message}", file.display());
    assert!(run.stderr.starts_with(&start), "{start}: {run:?}");
    assert!(!run.stderr.contains("password"), "{run:?}");
}

const VALID: &str = "\
[[senders]]
sender = \"github\"
keys = [
    { id = \"old\", secret = { insecure_inline = \"x\" }, expires_at = \"2026-01-01T00:00:00Z\" },
    { id = \"new\", secret = { env = \"A\" } },
]

[[senders]]
sender = \"stripe\"
keys = [{ id = \"k\", secret = { env = \"A\" } }]
";

#[test]
fn a_valid_file_is_shown_with_its_senders_and_keys() {
    let (file, run) = check(VALID, &[]);
    let shown = format!(
        "{}: valid\n  github: X-Hub-Signature-256, HMAC-SHA256; keys: old (not active now), new\n  \
         stripe: Stripe-Signature, HMAC-SHA256; keys: k\n",
        file.display()
    );
    assert_eq!((run.status, run.stdout), (0, shown), "{}", run.stderr);

    let (_, run) = check(VALID, &["--json"]);
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        list[0]["keys"],
        json!([{ "id": "old", "is_active": false }, { "id": "new", "is_active": true }])
    );
    assert_eq!((&list[1]["sender"], &list[1]["algorithm"]), (&json!("stripe"), &json!("hmac-sha256")));
}

#[test]
fn a_mistake_is_named_with_file_line_and_field() {
    let mistakes = [
        (VALID.replace("\"github\"", "\"gitub\""), 2, "senders[0].sender: unknown sender: use one of "),
        (
            VALID.replace("{ env = \"A\" } }]", "{ env = \"B\" } }]"),
            10,
            "senders[1].keys[0].secret: environment variable B is not set",
        ),
        (VALID.replace("env = \"A\" } },", "file = \"/no/such\" } },"), 5, "senders[0].keys[1].secret: "),
        (
            VALID.replace("2026-01-01T00:00:00Z", "soon"),
            4,
            "senders[0].keys[0].expires_at: this is not an RFC 3339 instant",
        ),
        (VALID.replace("id = \"new\"", "id = \"old\""), 3, "senders[0].keys: "),
        (VALID.replace("\"stripe\"", "\"github\""), 1, "senders: "),
        (
            VALID.replace("sender = \"stripe\"", "sender = \"stripe\"\nbody_limit = 0"),
            10,
            "senders[1].body_limit: ",
        ),
        (
            VALID.replace("sender = \"stripe\"", "sender = \"stripe\"\ntolerance = 5"),
            10,
            "senders[1].tolerance: ",
        ),
        (
            VALID.replace("sender = \"stripe\"", "sander = \"stripe\""),
            9,
            "senders[1].sander: unknown field `sander`",
        ),
        (VALID.replace("sender = \"stripe\"", "sender = "), 9, ""),
        (VALID.replace("\"k\"", "1"), 10, "senders[1].keys[0].id: "),
    ];
    for (text, line, message) in mistakes {
        assert_ne!(text, VALID);
        is_mistake(&text, line, message);
    }
    let run = Program::new(["check-config", "/no/such.toml"]).run();
    assert!(run.stderr.starts_with("error: /no/such.toml: cannot read the configuration: "), "{run:?}");
}

const SERVE: &str = "\
listen = \"127.0.0.1:8080\"
upstream = \"http://127.0.0.1:3000\"
timeouts = { body_seconds = 10 }

[once]
redis = { env = \"A\" }

[[route]]
path = \"/webhooks/github\"
senders = [{ sender = \"github\", keys = [{ id = \"k\", secret = { env = \"A\" } }] }]

[[route]]
path = \"/webhooks/stripe\"
upstream = \"http://billing:80\"
methods = [\"POST\", \"PUT\"]
handling = \"once\"
senders = [{ sender = \"stripe\", keys = [{ id = \"k\", secret = { env = \"A\" } }] }]
";

#[test]
fn a_file_with_routes_is_one_for_serve() {
    let (file, run) = check(SERVE, &[]);
    let shown = format!(
        "{}: valid\n  POST /webhooks/github: http://127.0.0.1:3000\n    github: X-Hub-Signature-256, HMAC-SHA256; keys: k\n  \
         POST, PUT /webhooks/stripe: http://billing:80\n    stripe: Stripe-Signature, HMAC-SHA256; keys: k\n",
        file.display()
    );
    assert_eq!((run.status, run.stdout), (0, shown), "{}", run.stderr);
    let (_, run) = check(SERVE, &["--json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let route = &report["routes"][1];
    assert_eq!((&route["path"], &route["handling"]), (&json!("/webhooks/stripe"), &json!("once")));
    assert_eq!(route["senders"][0]["keys"], json!([{ "id": "k", "is_active": true }]));
}

#[test]
fn a_mistake_in_a_route_is_named_with_file_line_and_field() {
    let mistakes = [
        (SERVE.replace("127.0.0.1:8080", "here"), 1, "listen: "),
        (
            SERVE.replace("http://127.0.0.1:3000", "https://127.0.0.1:3000"),
            2,
            "upstream: an upstream is reached by plain HTTP",
        ),
        (SERVE.replace("http://127.0.0.1:3000", "http://a/path"), 2, "upstream: an upstream has no path"),
        (SERVE.replace("http://127.0.0.1:3000", "http://a:99999"), 2, "upstream: "),
        (SERVE.replace("upstream = \"http://127.0.0.1:3000\"", ""), 8, "route[0].upstream: it is missing"),
        (
            SERVE.replace("body_seconds = 10", "body_seconds = 0"),
            3,
            "timeouts.body_seconds: it must be at least 1",
        ),
        (SERVE.replace("body_seconds = 10", "body_seconds = 65536"), 3, "timeouts.body_seconds: "),
        (
            SERVE.replace("redis = { env = \"A\" }", "redis = { env = \"B\" }"),
            6,
            "once.redis: the environment variable is not set",
        ),
        (
            SERVE.replace("redis = { env = \"A\" }", "redis = \"redis://:password@a\""),
            6,
            "once.redis: use { env",
        ),
        (SERVE.replace("redis =", "sqlite = \"a\"\nredis ="), 5, "once: give at most one of"),
        (
            SERVE.replace("/webhooks/stripe", "/webhooks/github"),
            13,
            "route[1].path: another route has this path",
        ),
        (SERVE.replace("/webhooks/stripe", "webhooks/stripe"), 13, "route[1].path: "),
        (SERVE.replace("/webhooks/stripe", "/webhooks/stripe?a=1"), 13, "route[1].path: "),
        (SERVE.replace("\"PUT\"", "\"CONNECT\""), 15, "route[1].methods: "),
        (
            SERVE.replace("\"once\"\n", "\"inbox\"\n"),
            16,
            "route[1].handling: \"inbox\" requires the table [inbox]",
        ),
        (SERVE.replace("\"once\"\n", "\"twice\"\n"), 16, "route[1].handling: unknown variant"),
        (
            SERVE.replace("sender = \"stripe\"", "sender = \"strip\""),
            17,
            "route[1].senders[0].sender: unknown sender",
        ),
        (
            SERVE.replace(
                "stripe\", keys = [{ id = \"k\", secret = { env = \"A\"",
                "stripe\", keys = [{ id = \"k\", secret = { env = \"B\"",
            ),
            17,
            "route[1].senders[0].keys[0].secret: environment variable B is not set",
        ),
        (SERVE.replace("handling =", "handing ="), 16, "route[1].handing: unknown field"),
    ];
    for (text, line, message) in mistakes {
        assert_ne!(text, SERVE, "{message}");
        is_mistake(&text, line, message);
    }
}

#[test]
fn a_file_that_is_too_large_or_no_text_is_an_error() {
    let (_, run) = check(&"#".repeat((1 << 20) + 1), &[]);
    assert!(run.stderr.ends_with("cannot read the configuration: it is larger than 1 MiB\n"), "{run:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    fs::write(&file, b"\xff\xfe").unwrap();
    let run = Program::new(["check-config".into(), file.into_os_string()]).run();
    assert_eq!(run.status, 2, "{run:?}");
}

#[test]
fn the_schema_is_json() {
    let run = Program::new(["check-config", "--schema"]).run();
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    // Every reference leads somewhere.
    for reference in run.stdout.split("\"$ref\": \"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
}
