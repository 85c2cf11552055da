//! What the service gets, and what the sender.

use std::time::{Duration, SystemTime};

use axum::response::Response;
use countersign::{Secret, Signer, senders};

use super::{
    http::{raw, request},
    listening::{Listening, signature},
    service::Service,
};
use crate::named::SECRET;

#[test]
fn a_verified_delivery_arrives_byte_by_byte_and_its_sender_gets_the_services_answer() {
    let service = Service::answering(|_| {
        Response::builder()
            .status(418)
            .header("x-own", "1")
            .header("keep-alive", "timeout=5")
            .body("teapot".into())
            .unwrap()
    });
    let listening = Listening::forwarding(&service.url(""));
    let body = b"\xff\0{\"a\": 1}\r\n";
    let headers = [
        ("X-Github-Event", "push"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
        ("TE", "trailers"),
        ("Keep-Alive", "timeout=5"),
        ("X-Hop", "dropped"),
        ("Connection", "X-Hop"),
        ("Proxy-Authorization", "Basic x"),
        ("Countersign-Sender", "somebody"),
        ("Countersign_Sender", "somebody"),
    ];
    let answer = listening.deliver_with("/hook?x=1&y", &headers, body);
    assert_eq!((answer.status, &*answer.body), (418, &b"teapot"[..]));
    assert_eq!((answer.header("x-own"), answer.header("keep-alive")), (Some("1"), None));

    let [got] = &*service.got() else { panic!("one: {:?}", service.got()) };
    assert_eq!((&*got.method, &*got.target, &*got.body), ("POST", "/hook?x=1&y", &body[..]));
    let mut names: Vec<&str> = got.headers.keys().map(axum::http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "host", "x-github-event", "x-hub-signature-256", "x-twice"]);
    assert_eq!(got.headers.get_all("x-twice").iter().count(), 2);
    assert_eq!(got.headers["host"], *service.address.to_string());
    let line = listening.line_with("#1 ");
    assert!(line.contains("verified github POST /hook?x=1&y 12 B -> 418 in "), "{line}");
}

#[test]
fn a_path_in_the_services_address_takes_the_place_of_the_deliverys() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/webhooks/github"));
    listening.deliver("/anything?x=1", b"{}");
    assert_eq!(service.got()[0].target, "/webhooks/github?x=1");
}

#[test]
fn a_rejected_delivery_is_shown_with_its_reason_and_not_forwarded() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    // Signed as GitHub does, and then something added white space.
    let signed = signature(b"{\"a\":1}");
    let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (&**name, &**value)).collect();
    let answer = request(listening.receiver, "POST /", &headers, b"{\"a\": 1}");
    assert_eq!((answer.status, &*answer.body), (401, &b""[..]));
    let line = listening.line_with("#1 ");
    assert!(line.contains("signature_mismatch github POST / 8 B body_minified: the sender signed"), "{line}");

    let detail = listening.detail(1);
    assert_eq!(detail["verdict"]["reason"], "signature_mismatch");
    assert_eq!(detail["verdict"]["causes"][0]["hypothesis"], "body_minified");
    assert_eq!(detail["verdict"]["is_proven"], true);
    assert_eq!(detail["attempts"], serde_json::json!([]));
    assert!(service.got().is_empty());
    // Neither is it by a replay.
    let results = listening.replay(&[1]);
    assert_eq!(
        results[0]["error"],
        "it is rejected as signature_mismatch, so it is not sent: edit and re-sign it instead"
    );
    assert!(service.got().is_empty());
}

#[test]
fn a_rejected_delivery_is_sent_by_a_replay_once_its_key_is_right() {
    let folder = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    std::fs::write(folder.path().join("wrong"), "another secret, of good length").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["listen", "--sender", "github", "--secret-file", "wrong"]);
    let listening = Listening::run(command, folder);
    assert_eq!(listening.deliver("/", b"{}").status, 401);
    listening.line_with("#1 ");
    let folder = listening.folder();
    assert_eq!(listening.stop(), (Some(0), String::new()));

    let service = Service::start(204);
    let listening = Listening::in_folder(folder, ["--forward", &service.url("/")]);
    assert_eq!(listening.replay(&[1])[0]["status"], 204);
    assert_eq!(listening.detail(1)["verdict"]["is_verified"], true);
    assert_eq!(service.got().len(), 1);
}

#[test]
fn an_old_delivery_is_verified_as_at_its_arrival() {
    let folder = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let service = Service::start(200);
    let listen = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args([
            "listen",
            "--sender",
            "stripe",
            "--secret-env",
            "SECRET",
            "--forward",
            &service.url(""),
        ]);
        Listening::run(command, std::sync::Arc::clone(&folder))
    };
    let listening = listen();
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    let signer = Signer::new(senders::stripe(), [Secret::new(SECRET)]).unwrap();
    let signed = signer.headers(b"{}", yesterday).unwrap();
    let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(request(listening.receiver, "POST /", &headers, b"{}").status, 401);
    assert!(listening.line_with("#1 ").contains("timestamp_too_old"));
    assert!(listening.replay(&[1])[0]["error"].as_str().unwrap().contains("timestamp_too_old"));
    let kept = listening.kept().join("00000001.json");
    listening.stop();
    // As if it had arrived then.
    let text = std::fs::read_to_string(&kept).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let at = yesterday.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    record["at"] = u64::try_from(at).unwrap().into();
    std::fs::write(&kept, record.to_string()).unwrap();
    assert_eq!(listen().replay(&[1])[0]["status"], 200);
    assert_eq!(service.got().len(), 1);
}

#[test]
fn many_are_replayed_in_order_and_each_attempt_is_noted() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    for body in ["1", "2", "3"] {
        listening.deliver("/", body.as_bytes());
    }
    let results = listening.replay(&[2, 3, 9]);
    assert_eq!(results[0]["status"], 200);
    assert_eq!(results[1]["status"], 200);
    assert_eq!(results[2]["error"], "delivery 9 is not kept any more");
    let bodies: Vec<_> = service.got().iter().map(|got| got.body.clone()).collect();
    assert_eq!(bodies, ["1", "2", "3", "2", "3"]);
    let detail = listening.detail(2);
    assert_eq!(
        (&detail["attempts"][0]["is_replay"], &detail["attempts"][1]["is_replay"]),
        (&false.into(), &true.into())
    );
    listening.line_with("#2 verified github POST / 1 B replayed 200 in ");
}

#[test]
fn without_a_service_a_verified_delivery_is_answered_200() {
    let listening = Listening::start([""; 0]);
    assert_eq!(listening.deliver("/", b"{}").status, 200);
    assert_eq!(listening.forge("/", &[], b"{}").status, 401);
    assert_eq!(listening.replay(&[1])[0]["error"], "there is no service to send it to: give --forward");
}

#[test]
fn a_delivery_goes_its_way_though_its_sender_hangs_up() {
    let service = Service::answering(|_| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        Response::new("late".into())
    });
    let listening = Listening::forwarding(&service.url("/"));
    let signed = signature(b"{}");
    let (name, value) = &signed[0];
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{name}: {value}\r\n\r\n{{}}");
    let mut stream = std::net::TcpStream::connect(listening.receiver).unwrap();
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    // It was read, because it is listed.
    listening.until("listed", || (!listening.list().is_empty()).then_some(()));
    drop(stream);
    assert!(listening.line_with("#1 ").contains("-> 200 in "));
}

#[test]
fn a_request_in_pieces_and_without_a_length_is_read_whole() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    let signed = signature(b"{\"a\":1}");
    let (name, value) = &signed[0];
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n{name}: {value}\r\n\r\n\
         3\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n"
    );
    assert_eq!(raw(listening.receiver, request.as_bytes()).status, 200);
    assert_eq!(service.got()[0].body, "{\"a\":1}");
    assert_eq!(service.got()[0].headers["content-length"], "7");
}
