//! `countersign sign`

use std::{fs, process::Command};

use serde_json::Value;

use crate::{named::SECRET, program::Program};

fn github() -> Program {
    Program::new(["sign", "--sender", "github", "--secret-env", "SECRET"]).env("SECRET", SECRET)
}

/// HMAC-SHA256 of `{"zen":1}` by OpenSSL: `printf '{"zen":1}' | openssl dgst -sha256 -hmac 8jRw2GfTq1XnB5vKzL0cYdHs`.
const SIGNATURE: &str =
    "X-Hub-Signature-256: sha256=d400559e35bd723e6a265ce6ff5ebc8e71dce7d3410852481a6d2789a6253aa4";

#[test]
fn it_prints_the_headers_that_the_sender_would_send() {
    let run = github().args(["--body", "-"]).stdin("{\"zen\":1}").run();
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.stdout, format!("{SIGNATURE}\nContent-Type: application/json\n"));
}

#[test]
fn the_secret_and_the_body_come_from_files_and_a_header_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let (secret, body) = (folder.path().join("secret"), folder.path().join("body"));
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    fs::write(&body, "{\"zen\":1}").unwrap();
    let run = Program::new(["sign", "--sender", "github", "--header", "Content-Type: text/plain"])
        .args(["--secret-file".into(), secret.into_os_string(), "--body".into(), body.into_os_string()])
        .run();
    assert_eq!(run.stdout, format!("{SIGNATURE}\nContent-Type: text/plain\n"), "{run:?}");
}

#[test]
fn a_sender_of_the_configuration_signs_with_its_active_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    let keys = r#"[
        { id = "old", secret = { insecure_inline = "old" }, expires_at = "2026-01-01T00:00:00Z" },
        { id = "new", secret = { env = "SECRET" } },
    ]"#;
    let text = format!(
        "[[senders]]\nsender = \"stripe\"\nkeys = {keys}\n\
         [[senders]]\nscheme = {{ name = \"acme\", signature_header = \"X-Acme\", encoding = \"hex\", algorithm = \"hmac-sha256\" }}\n\
         keys = {keys}\n"
    );
    fs::write(&file, text).unwrap();
    let sign = |arguments: &[&str]| {
        let program = Program::new(["sign".into(), "--config".into(), file.clone().into_os_string()]);
        program.args(arguments).args(["--body", "-"]).stdin("{\"zen\":1}").env("SECRET", SECRET).run()
    };
    let run = sign(&["--sender", "acme"]);
    let hex = SIGNATURE.split_once('=').unwrap().1;
    assert_eq!(run.stdout, format!("X-Acme: {hex}\nContent-Type: application/json\n"), "{run:?}");

    let other = sign(&["--sender", "acme", "--key", "old"]);
    assert_eq!(other.status, 0, "{other:?}");
    assert!(!other.stdout.contains(hex), "{other:?}");

    let run = sign(&[]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(
        run.stderr.contains("choose one of the configuration's senders with --sender: stripe, acme"),
        "{run:?}"
    );
    let run = sign(&["--sender", "acme", "--key", "none"]);
    assert!(run.stderr.contains("acme has no key none"), "{run:?}");
}

#[test]
fn a_mistake_in_the_configuration_names_file_line_and_field_and_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    let shown = |text: &str| {
        fs::write(&file, text).unwrap();
        let program = Program::new(["sign".into(), "--config".into(), file.clone().into_os_string()]);
        let run = program.run();
        assert_eq!(run.status, 2, "{run:?}");
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
        run.stderr
    };
    let starts = |line: u32, rest: &str| format!("error: {}:{line}: {rest}", file.display());
    for (text, start) in [
        ("[[senders]]\nsender = \"github\"\nkeys = \"hunter2\n", starts(3, "")),
        (
            "[[senders]]\nsender = \"github\"\nkeys = [{ id = \"a\", secret = \"hunter2\" }]\n",
            starts(3, "senders[0].keys[0].secret: a secret does not"),
        ),
        ("[[senders]]\nsender = \"github\"\n\nkyes = []\n", starts(4, "senders[0]")),
        ("[[senders]]\nsender = \"gihub\"\nkeys = []\n", starts(2, "senders[0].sender: unknown sender")),
        (
            "[[senders]]\nsender = \"github\"\nkeys = [\n{ id = \"a\",\nsecret = { env = \"UNSET\" } }]\n",
            starts(5, "senders[0].keys[0].secret: environment variable UNSET"),
        ),
        ("\non_several = 3\n", starts(2, "on_several: ")),
    ] {
        let shown = shown(text);
        assert!(shown.starts_with(&start), "{text}: {shown}");
    }
}

#[test]
fn mistakes_in_the_arguments_say_what_to_do() {
    let mistakes = [
        ("", "--sender <NAME>"),
        ("--sender github", "give --secret-env or --secret-file"),
        ("--sender github --secret-env UNSET", "environment variable UNSET is not set"),
        // The shell put the secret in the place of its variable's name.
        ("--sender github --secret-env c2VjcmV0", "the name is not shown because it may be a secret"),
        (
            "--sender fluent --secret-env SECRET",
            "fluent signs with an RSA key: give the private one with --private-key-file",
        ),
        ("--sender github --secret-env SECRET --body /no/such", "cannot read /no/such: "),
        ("--sender github --secret-env SECRET --break timestamp", "github signs no timestamp"),
        ("--sender stripe --secret-env SECRET --break missing-timestamp", "within the signature header"),
        ("--sender gitlab-unsigned-token --secret-env SECRET --break body", "does not sign the body"),
        ("--sender gitlab-unsigned-token --secret-env SECRET --as-curl", "does not belong into a command"),
        ("--sender github --secret-env SECRET --header a", "write NAME: VALUE"),
        ("--sender github --secret-env SECRET --header a:b\u{7f}", "--header"),
        ("--sender github --secret-env SECRET localhost", "write the whole URL"),
    ];
    for (arguments, part) in mistakes {
        let run = Program::new(["sign"]).args(arguments.split_whitespace()).env("SECRET", SECRET).run();
        assert_eq!((run.status, &*run.stdout), (2, ""), "{arguments}: {run:?}");
        assert!(run.stderr.contains(part), "{arguments}: {run:?}");
        assert!(!run.stderr.contains(SECRET), "{run:?}");
    }
}

#[test]
fn the_command_for_curl_gives_the_shell_the_same_words() {
    for body in ["{\"it's\": \"$HOME `id` \\\\ !\"}\n", "@/etc/passwd", "\u{1b}[2J\r\n"] {
        let run = github().args(["--body", "-", "--as-curl", "http://localhost/a?b=1&c=2"]).stdin(body).run();
        assert_eq!(run.status, 0, "{run:?}");
        assert!(run.stdout.chars().all(|char| char == '\n' || !char.is_control()), "{run:?}");
        assert!(!run.stdout.contains(SECRET), "{run:?}");
        // A function in the place of curl prints its arguments, and what it reads.
        let script =
            format!("curl() {{ printf '<%s>' \"$@\"; case \"$*\" in *@-*) cat;; esac; }}\n{}", run.stdout);
        let shown = Command::new("sh").args(["-c", &script]).output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.starts_with("<--request><POST><--header><X-Hub-Signature-256: sha256="), "{shown}");
        assert!(shown.contains("<http://localhost/a?b=1&c=2>"), "{shown}");
        let data = format!("<--data-raw><{body}>");
        assert!(shown.contains(&data) || shown.ends_with(body), "{shown}");
    }
}

#[test]
fn the_json_holds_the_whole_delivery() {
    let run = github().args(["--body", "-", "--json", "http://localhost/a"]).stdin("{\"zen\":1}").run();
    let delivery: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(delivery["method"], "POST");
    assert_eq!(delivery["url"], "http://localhost/a");
    assert_eq!(delivery["body"], "{\"zen\":1}");
    let (name, value) = SIGNATURE.split_once(": ").unwrap();
    assert_eq!(delivery["headers"][0], serde_json::json!([name, value]));

    let binary = github().args(["--body", "-", "--json"]).stdin(*b"\xff\0").run();
    let delivery: Value = serde_json::from_str(&binary.stdout).unwrap();
    assert_eq!(delivery["body_base64"], "/wA=");
}
