//! Edit and re-sign.

use std::{process::Command, sync::Arc};

use countersign::Part;
use serde_json::json;
use tempfile::TempDir;

use super::{
    listening::{Listening, signature},
    service::Service,
};
use crate::named;

#[test]
fn an_edited_delivery_is_signed_sent_and_its_signature_shown_nowhere() {
    let service = Service::start(202);
    let listening = Listening::forwarding(&service.url(""));
    listening.deliver_with("/hook?x", &[("X-Github-Event", "push")], b"{\"a\":1}");
    let edited = json!({
        "after": 1,
        "sender": "github",
        "body": "{\"a\":2}",
        "headers": [["x-github-event", "ping"], ["content-type", "text/plain"]],
    });
    assert_eq!(listening.post("resign", &edited).json(), json!({ "status": 202 }));
    let got = &service.got()[1];
    assert_eq!((&*got.target, &*got.body), ("/hook?x", &b"{\"a\":2}"[..]));
    assert_eq!(
        (got.headers["x-github-event"].to_str().unwrap(), &got.headers["content-type"]),
        ("ping", &"text/plain".parse().unwrap())
    );
    let made = got.headers["x-hub-signature-256"].to_str().unwrap().to_owned();
    assert_eq!(made, signature(b"{\"a\":2}")[0].1);

    let detail = listening.detail(2);
    assert_eq!(detail["origin"], json!({ "resigned": 1 }));
    assert_eq!(detail["verdict"]["is_verified"], true);
    listening.line_with("#2 verified github POST /hook?x 7 B (signed here, after #1) -> 202");
    let folder = listening.folder();
    let said = [listening.get("deliveries/2").body, listening.get("deliveries").body].concat();
    let lines = listening.lines().concat();
    // It can be replayed, and is signed anew for that.
    assert_eq!(listening.replay(&[2])[0]["status"], 202);
    assert_eq!(service.got()[2].headers["x-hub-signature-256"], *made);
    let kept = listening.kept();
    listening.stop();
    let made = made.trim_start_matches("sha256=");
    assert!(!String::from_utf8_lossy(&said).contains(made) && !lines.contains(made));
    for entry in std::fs::read_dir(kept).unwrap() {
        let text = String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned();
        assert!(!text.contains(made), "{text}");
    }
    drop(folder);
}

#[test]
fn a_rejected_delivery_is_re_signed_as_it_is() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    let body = [0xff, 0, 1];
    listening.forge("/", &[], &body);
    assert_eq!(listening.post("resign", &json!({ "after": 1, "sender": "github" })).json()["status"], 200);
    assert_eq!(service.got()[0].body, &body[..]);
}

#[test]
fn a_delivery_is_re_signed_as_another_sender() {
    let folder = Arc::new(TempDir::new().unwrap());
    let config = "[[senders]]\nsender = \"github\"\nkeys = [{ id = \"q4\", secret = { env = \"SECRET\" } }]\n\
                  [[senders]]\nsender = \"stripe\"\nkeys = [{ id = \"live\", secret = { env = \"SECRET\" } }]\n";
    std::fs::write(folder.path().join("countersign.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["listen", "--config", "countersign.toml"]);
    let listening = Listening::run(command, folder);
    listening.deliver("/", b"{}");
    let answer = listening.post("resign", &json!({ "after": 1, "sender": "stripe" }));
    assert_eq!(answer.json(), json!({ "status": 200 }));
    let detail = listening.detail(2);
    assert_eq!(detail["verdict"]["sender"], "stripe");
    assert!(!detail["headers"].to_string().contains("x-hub-signature-256"), "{detail}");
}

#[test]
fn every_sender_with_a_secret_is_received_and_re_signed() {
    let mut count = 0;
    for sender in named::all("http://localhost/hook").iter().filter(|sender| sender.has_secret()) {
        let service = Service::start(200);
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["listen", "--sender", sender.name, "--secret-env", "SECRET", "--forward"]);
        command.arg(service.url(""));
        let signs_url = sender.scheme.signed_parts().iter().any(|part| matches!(part, Part::Url(_)));
        command.args(signs_url.then_some(["--signed-url", "http://localhost/hook"]).into_iter().flatten());
        let listening = Listening::run(command, Arc::new(TempDir::new().unwrap()));
        let url = format!("http://{}/hook?b=1&a=2", listening.receiver);
        let mut send = sender.signs_with("send");
        if signs_url {
            send = send.args(["--signed-url", "http://localhost/hook"]);
        }
        let run = send.args([&url]).run();
        assert_eq!(run.status, 0, "{}: {run:?} {:?}", sender.name, listening.lines());
        let answer = listening.post("resign", &json!({ "after": 1, "sender": sender.name }));
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(200)), "{}", sender.name);
        let replayed = listening.replay(&[1, 2]);
        assert_eq!(
            (&replayed[0]["status"], &replayed[1]["status"]),
            (&json!(200), &json!(200)),
            "{}",
            sender.name
        );
        assert_eq!(service.got().len(), 4, "{}", sender.name);
        count += 1;
    }
    assert_eq!(count, 25);
}

#[test]
fn what_cannot_be_signed_or_sent_is_refused_with_a_reason() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    listening.deliver("/", b"{}");
    let refused = |value: serde_json::Value| {
        let answer = listening.post("resign", &value);
        assert_eq!(answer.status, 409, "{answer:?}");
        answer.json()["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(json!({ "after": 9, "sender": "github" })), "delivery 9 is not kept any more");
    assert_eq!(refused(json!({ "after": 1, "sender": "stripe" })), "no sender here is named stripe");
    for header in [["a b", "1"], ["", "1"], ["a", "1\r\nx: 2"], ["a", "\u{0}"]] {
        let error = refused(json!({ "after": 1, "sender": "github", "headers": [header] }));
        assert!(error.ends_with(" is no header: write name: value"), "{error}");
    }
    assert_eq!(listening.list().len(), 1);
    assert_eq!(service.got().len(), 1);
}

#[test]
fn a_command_for_curl_sends_the_same_delivery() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/hook"));
    let text = "{\"quotes\": \"'$(touch x)`\"}";
    listening.deliver_with("/?q", &[("X-Odd", "'; touch y; '")], text.as_bytes());
    let large = "x".repeat(40 << 10);
    listening.deliver("/", large.as_bytes());
    listening.deliver("/", b"\xff\x1b[2J");
    listening.until("kept", || (listening.list()[1]["is_kept"] == true).then_some(()));
    for (place, body) in [text.as_bytes(), large.as_bytes(), b"\xff\x1b[2J"].into_iter().enumerate() {
        let command = listening.get(&format!("deliveries/{}/curl", place + 1)).json()["command"].clone();
        let command = command.as_str().unwrap();
        assert!(!command.contains('\u{1b}'), "{command}");
        let folder = tempfile::tempdir().unwrap();
        let mut shell = std::process::Command::new("/bin/sh");
        let done = shell.args(["-c", command]).current_dir(&folder).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{command}");
        let (sent, copied) = (service.got()[place].clone(), service.got()[3 + place].clone());
        assert_eq!((&copied.body[..], &copied.target), (body, &sent.target));
        assert_eq!(copied.headers["x-hub-signature-256"], sent.headers["x-hub-signature-256"]);
    }
}
