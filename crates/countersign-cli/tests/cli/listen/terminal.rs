//! The lines in the terminal.

use super::{hostile::HOSTILE, listening::Listening, service::Service};

#[test]
fn hostile_text_does_not_act_on_the_terminal() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url(""));
    listening.deliver("/%1b[2J?\u{9b}31m", HOSTILE.as_bytes());
    let bytes = b"P\x7fST / HTTP/1.1\r\nHost: x\r\n\r\n";
    super::http::raw(listening.receiver, bytes);
    listening.forge(&format!("/{}", "a".repeat(5000)), &[], HOSTILE.as_bytes());
    let line = listening.line_with("#2 ");
    assert!(line.len() < 600, "one line: {line}");
    let all = listening.lines().concat();
    assert!(!all.replace('\n', "").chars().any(char::is_control), "{all:?}");
}

#[test]
fn colours_are_for_whoever_asks_for_them() {
    let colours = |variable: Option<&str>| {
        let mut command = std::process::Command::new("/usr/bin/env");
        command.args(variable);
        command.args([
            env!("CARGO_BIN_EXE_countersign"),
            "listen",
            "--sender",
            "github",
            "--secret-env",
            "SECRET",
        ]);
        let listening = Listening::run(command, std::sync::Arc::new(tempfile::TempDir::new().unwrap()));
        listening.deliver("/", b"{}");
        listening.line_with("#1 ").contains('\u{1b}')
    };
    assert!(!colours(None));
    assert!(colours(Some("CLICOLOR_FORCE=1")));
    assert!(!colours(Some("NO_COLOR=1")));
}

#[test]
fn a_configuration_with_several_senders_tells_them_apart() {
    let folder = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let config = "[[senders]]\nsender = \"github\"\nkeys = [{ id = \"q4\", secret = { env = \"SECRET\" } }]\n\
                  [[senders]]\nsender = \"stripe\"\nkeys = [{ id = \"live\", secret = { env = \"SECRET\" } }]\n";
    std::fs::write(folder.path().join("countersign.toml"), config).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["listen", "--config", "countersign.toml"]);
    let listening = Listening::run(command, folder);
    listening.deliver("/", b"{}");
    super::http::request(listening.receiver, "POST /", &[("Stripe-Signature", "t=1,v1=00")], b"{}");
    super::http::request(listening.receiver, "GET /favicon.ico", &[], b"");
    assert!(listening.line_with("#1 ").contains(" verified github "));
    assert!(listening.line_with("#2 ").contains(" stripe POST / "));
    assert!(listening.line_with("#3 ").contains(" signature_missing "));
    assert_eq!(listening.detail(1)["verdict"]["key"], "q4");
}
