//! `countersign verify` and `countersign explain`

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    named::{self, SECRET},
    program::{Program, Run},
};

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/captures").join(name)
}

fn stripe(subcommand: &str, arguments: &[&str]) -> Program {
    Program::new([subcommand, "--sender", "stripe", "--secret-env", "SECRET"])
        .args(arguments)
        .env("SECRET", SECRET)
}

/// The capture of Stripe's delivery, read from its file.
fn verify(name: &str, arguments: &[&str]) -> Run {
    stripe("verify", arguments).args([capture(name)]).run()
}

/// When the delivery was sent.
const AT: &[&str] = &["--at", "2019-10-03T19:06:35Z"];

#[test]
fn the_same_delivery_is_verified_in_each_format() {
    let captures: &[(&str, &[&str])] = &[
        ("request.http", AT),
        ("chunked.http", AT),
        ("http2.http", AT),
        ("curl.sh", AT),
        ("request.http", &["--at", "1570129595", "--format", "http"]),
        // These say when they were made.
        ("devtools.har", &["--entry", "2"]),
        ("webhook-site.json", &[]),
        ("webhook-site-one.json", &["--format", "json"]),
        ("ngrok.json", &[]),
        ("ngrok-one.json", &[]),
    ];
    for (name, arguments) in captures {
        let run = verify(name, arguments);
        assert_eq!((run.status, &*run.stdout), (0, "verified: stripe, key SECRET\n"), "{name}: {run:?}");
        // The same from the standard input.
        let bytes = fs::read(capture(name)).unwrap();
        assert_eq!(stripe("verify", arguments).stdin(bytes).run().stdout, run.stdout, "{name}");
        // With another secret, it is not.
        let run = stripe("verify", arguments).args([capture(name)]).env("SECRET", "another").run();
        assert_eq!(run.status, 1, "{name}: {run:?}");
        assert!(run.stdout.starts_with("rejected as signature_mismatch: stripe"), "{name}: {run:?}");
    }
}

#[test]
fn a_delivery_is_judged_at_the_time_of_its_capture_or_the_time_given_or_else_now() {
    for (name, arguments) in [
        ("request.http", &[][..]),
        ("ngrok.json", &["--at", "2019-10-03T20:06:35Z"]),
        ("curl.sh", &["--at", "1570133195"]),
    ] {
        let run = verify(name, arguments);
        assert_eq!(run.status, 1, "{name}: {run:?}");
        assert!(run.stdout.starts_with("rejected as timestamp_too_old: stripe"), "{name}: {run:?}");
    }
}

#[test]
fn all_deliveries_of_a_har_are_judged_and_none_of_its_other_requests() {
    let run = verify("devtools.har", &[]);
    assert_eq!(run.status, 1, "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    assert_eq!(lines[0], "2. POST /hooks/stripe?x=1 at 2019-10-03T19:06:36Z: verified: stripe, key SECRET");
    assert!(
        lines[1]
            .starts_with("3. POST /hooks/stripe at 2019-10-03T19:06:37Z: rejected as signature_mismatch: "),
        "{run:?}"
    );

    let run = verify("devtools.har", &["--json"]);
    let list: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (list[0]["entry"].as_u64(), &list[0]["verdict"], &list[0]["key"]),
        (Some(2), &"verified".into(), &"SECRET".into())
    );
    assert_eq!((&list[1]["verdict"], &list[1]["reason"]), (&"rejected".into(), &"signature_mismatch".into()));

    let run = verify("devtools.har", &["--entry", "1"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.stderr.contains("entry 1 of the capture is no delivery"), "{run:?}");
}

#[test]
fn every_senders_signature_is_verified_in_each_form_that_sign_prints() {
    for sender in named::all("http://localhost/hook") {
        for form in ["--as-http", "--json", "--as-curl"] {
            let signed = sender.signs_with("sign").args([form, "http://localhost/hook"]).run();
            if form == "--as-curl" && !sender.signs() {
                assert_eq!((signed.status, &*signed.stdout), (2, ""), "the token is the secret: {signed:?}");
                continue;
            }
            assert_eq!(signed.status, 0, "{}: {signed:?}", sender.name);
            if form == "--as-curl" && !signed.stdout.starts_with("curl ") {
                // Its body is no plain text, so the command has a pipe.
                assert_eq!(sender.name, "extend");
                continue;
            }
            let verified = sender.verifies_with("verify").stdin(signed.stdout).run();
            assert_eq!(verified.status, 0, "{} {form}: {verified:?}", sender.name);
            assert!(verified.stdout.starts_with(&format!("verified: {}, key ", sender.name)), "{verified:?}");
        }
        let broken =
            sender.signs_with("sign").args(["--as-http", "--break", "key", "http://localhost/hook"]).run();
        let rejected = sender.verifies_with("verify").stdin(broken.stdout).run();
        assert_eq!(rejected.status, 1, "{}: {rejected:?}", sender.name);
        assert!(rejected.stdout.starts_with("rejected as signature_mismatch: "), "{rejected:?}");
    }
}

#[test]
fn what_is_broken_stays_broken_in_each_form() {
    for (what, reason) in [
        ("signature", "signature_mismatch"),
        ("truncated-signature", "signature_length"),
        ("empty-signature", "signature_empty"),
        ("missing-header", "signature_missing"),
        ("duplicate-header", "signature_repeated"),
        ("body", "signature_mismatch"),
        ("key", "signature_mismatch"),
        ("timestamp", "timestamp_too_old"),
        ("future-timestamp", "timestamp_in_future"),
    ] {
        for form in ["--as-http", "--json", "--as-curl"] {
            let signed = stripe("sign", &["--break", what, form]).run();
            let run = stripe("verify", &[]).stdin(signed.stdout).run();
            assert_eq!(run.status, 1, "{what} {form}: {run:?}");
            assert!(run.stdout.starts_with(&format!("rejected as {reason}: ")), "{what} {form}: {run:?}");
        }
    }
}

#[test]
fn a_rejection_is_explained_in_words_and_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    fs::write(
        &file,
        "[[senders]]\nsender = \"github\"\nkeys = [{ id = \"a\", secret = { env = \"SECRET\" } }]\n",
    )
    .unwrap();
    let signed =
        Program::new(["sign", "--sender", "github", "--secret-env", "SECRET", "--as-http", "--body", "-"])
            .env("SECRET", SECRET)
            .stdin("{\"id\": 1, \"note\": \"paid\"}")
            .run();
    // A proxy writes the body anew.
    let (head, _) = signed.stdout.split_once("\r\nContent-Length").unwrap();
    let arrived = format!("{head}\r\n\r\n{{\"id\":1,\"note\":\"paid\"}}");
    let explain = |arguments: &[&str]| {
        let program = Program::new(["explain".into(), "--config".into(), file.clone().into_os_string()]);
        program.args(arguments).env("SECRET", SECRET).stdin(arrived.clone()).run()
    };
    let run = explain(&[]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stdout.starts_with("rejected as signature_mismatch: github"), "{run:?}");
    assert!(
        run.stdout.contains("\n  key: a\n  cause: body_spaced: the sender signed the body with spaces"),
        "{run:?}"
    );

    let run = explain(&["--json"]);
    let [report] = &*serde_json::from_str::<Vec<Value>>(&run.stdout).unwrap() else { panic!("{run:?}") };
    assert_eq!((&report["reason"], &report["is_proven"]), (&"signature_mismatch".into(), &true.into()));
    assert_eq!((&report["causes"][0]["hypothesis"], &report["key"]), (&"body_spaced".into(), &"a".into()));

    let verified = Program::new(["explain".into(), "--config".into(), file.into_os_string()]);
    let verified = verified.env("SECRET", SECRET).stdin(signed.stdout).run();
    assert_eq!(
        (verified.status, verified.stdout.lines().next()),
        (0, Some("verified")),
        "{}",
        verified.stderr
    );
}

#[test]
fn a_body_that_the_capture_lacks_comes_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    fs::write(&file, "{}").unwrap();
    let signed = stripe("sign", &["--body", "-", "--as-curl"]).stdin("{}").run();
    let command = signed.stdout.replace("--data-raw '{}'", "--data-binary @order.json");
    assert_ne!(command, signed.stdout);
    let run = stripe("verify", &[]).stdin(command.clone()).run();
    assert_eq!(run.status, 1, "{run:?}");
    assert!(
        run.stdout.starts_with(
            "(the command takes the body from a file, which was not read: give it with --body) rejected"
        ),
        "{run:?}"
    );
    let run = stripe("verify", &[]).args(["--body".into(), file.into_os_string()]).stdin(command).run();
    assert_eq!((run.status, &*run.stdout), (0, "verified: stripe, key SECRET\n"), "{run:?}");
}

#[test]
fn mistakes_say_what_to_do() {
    let mistakes: &[(&[&str], &str, &str)] = &[
        (&[], "", "breaks off before the empty line"),
        (&[], "[1]", "invalid type: integer `1`"),
        (
            &["--format", "json"],
            "1",
            "invalid type: integer `1`, expected a HAR, or an export of webhook.site or ngrok",
        ),
        (&[], "{\"a\":1}", "no HAR, and no export of webhook.site or ngrok"),
        (
            &[],
            "{\"log\":{\"entries\":[{\"request\":{\"method\":\"POST\",\"url\":\"a b\",\"headers\":[]}}]}}",
            "entry 1: the address is not a URL",
        ),
        (&[], "{\"log\":{\"entries\":[]}}", "the capture has no delivery"),
        (&[], "curl --upload-file x http://x", "--upload-file"),
        (&["--at", "yesterday"], "", "write an instant such as 2026-11-25T07:30:00Z"),
        (&["--body", "-"], "", "cannot be both the capture and the body"),
        (&["--sender", "square"], "", "cannot be used multiple times"),
        (&["/no/such/capture"], "", "cannot read /no/such/capture: "),
    ];
    for (arguments, input, part) in mistakes {
        let run = stripe("verify", arguments).stdin(*input).run();
        assert_eq!((run.status, &*run.stdout), (2, ""), "{arguments:?} {input}: {run:?}");
        assert!(run.stderr.contains(part), "{arguments:?} {input}: {run:?}");
    }
    let run =
        Program::new(["verify", "--sender", "square", "--secret-env", "SECRET"]).env("SECRET", SECRET).run();
    assert!(run.stderr.contains("square") && run.stderr.contains("url: it is missing"), "{run:?}");
    let run = Program::new(["verify", "--sender", "github"]).run();
    assert!(run.stderr.contains("give --secret-env or --secret-file, or --public-key-file"), "{run:?}");
}

#[test]
fn a_capture_that_is_too_large_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len((64 << 20) + 1).unwrap();
    let run = stripe("verify", &["--format", "http"]).args([file.path()]).run();
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.stderr.ends_with(": it is larger than 64 MiB\n"), "{run:?}");
    let run = stripe("sign", &[]).args(["--body".as_ref(), file.path().as_os_str()]).run();
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.stderr.ends_with(" is larger than 64 MiB\n"), "{run:?}");
}

#[test]
fn a_hostile_capture_does_not_reach_the_terminal() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}";
    let har = serde_json::json!({ "log": { "entries": [
        { "request": { "method": hostile, "url": "http://x/a", "headers": [["Stripe-Signature", hostile]], "postData": { "text": hostile } } },
        { "request": { "method": "POST", "url": "http://x/a", "headers": [[hostile, hostile], ["Stripe-Signature", "t=1,v1=\u{1b}[2J"]], "postData": { "text": "" } } },
    ] } });
    let head = format!("POST /{hostile} HTTP/1.1\r\nStripe-Signature: {hostile}\r\n\r\n");
    for (input, status) in [
        (har.to_string(), 1),
        (head, 2),
        (format!("curl -{hostile} {hostile}"), 2),
        (format!("{{\"{hostile}\": {hostile}"), 2),
    ] {
        for subcommand in ["verify", "explain"] {
            for arguments in [&[][..], &["--json"]] {
                let run = stripe(subcommand, arguments).stdin(input.clone()).run();
                assert_eq!(run.status, status, "{run:?}");
                let shown = run.stdout + &run.stderr;
                assert!(
                    shown.chars().all(|char| char == '\n' || !(char.is_control() || char == '\u{202e}')),
                    "{shown:?}"
                );
            }
        }
    }
}

/// A browser's HAR holds each answer: most of it is nothing that is verified.
#[test]
#[cfg(target_os = "linux")]
fn a_large_har_is_judged_in_little_memory() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let answer = "x".repeat(1 << 20);
    file.write_all(b"{\"log\":{\"entries\":[").unwrap();
    for _ in 0..8 {
        write!(
            file,
            "{{\"request\":{{\"method\":\"GET\",\"url\":\"https://x/\",\"headers\":[]}},\"response\":{{\"content\":{{\"text\":\"{answer}\"}}}}}},"
        )
        .unwrap();
    }
    let har: Value = serde_json::from_slice(&fs::read(capture("devtools.har")).unwrap()).unwrap();
    write!(file, "{}]}}}}", har["log"]["entries"][1]).unwrap();

    let run = Program::within_memory(4 << 20, ["verify", "--sender", "stripe", "--secret-env", "SECRET"])
        .args([file.path()])
        .env("SECRET", SECRET)
        .run();
    assert_eq!((run.status, &*run.stdout), (0, "verified: stripe, key SECRET\n"), "{run:?}");
}

#[test]
fn a_placeholder_signs_and_verifies_only_on_demand() {
    let signed =
        Program::new(["sign", "--sender", "github", "--secret-env", "SECRET", "--as-http", "--body", "-"])
            .env("SECRET", "changeme")
            .stdin("{}")
            .run();
    assert_eq!(signed.status, 0, "{signed:?}");
    let verify = |arguments: &[&str]| {
        let program = Program::new(["verify"]).args(arguments);
        program.env("SECRET", "changeme").stdin(signed.stdout.clone()).run()
    };
    let refused = verify(&["--sender", "github", "--secret-env", "SECRET"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(
        refused.stderr.ends_with(
            "insist on it with `dangerously_accept_placeholder` in a configuration, and give that with --config\n"
        ),
        "{refused:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    let key = "{ id = \"a\", secret = { env = \"SECRET\" }, dangerously_accept_placeholder = true }";
    fs::write(&file, format!("[[senders]]\nsender = \"github\"\nkeys = [{key}]\n")).unwrap();
    let verified = verify(&["--config", file.to_str().unwrap()]);
    assert_eq!(verified.status, 0, "{verified:?}");
}
