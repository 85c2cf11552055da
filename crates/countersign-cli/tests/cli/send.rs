//! `countersign send`

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::Arc,
    thread,
};

use countersign::{RejectionKind, Secret, Verifier, senders};
use rcgen::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};
use serde_json::Value;

use crate::{
    named::{self, Named, SECRET},
    program::Program,
    receiver::Receiver,
};

fn github() -> Receiver {
    Receiver::start(|_| {
        Verifier::builder(senders::github()).secret("k", Secret::new(SECRET)).build().unwrap()
    })
}

fn send(receiver: &Receiver) -> Program {
    Program::new(["send", "--sender", "github", "--secret-env", "SECRET", &receiver.url])
        .env("SECRET", SECRET)
}

/// What the receiver's log must say of a delivery that is broken in this way; `None` if that cannot be broken.
fn reason(sender: &Named, what: &str) -> Option<RejectionKind> {
    let is_listed = sender.scheme.signature_shape().contains("<timestamp>");
    // A token has no form, and ECDSA's signatures no fixed length.
    let has_length = sender.signs() && sender.name != "sendgrid";
    match what {
        "missing-header" => Some(RejectionKind::SignatureMissing),
        "duplicate-header" => Some(RejectionKind::SignatureRepeated),
        "empty-signature" => Some(RejectionKind::SignatureEmpty),
        "truncated-signature" if has_length => Some(RejectionKind::SignatureLength),
        "body" if sender.name == "twilio-json" => Some(RejectionKind::BodyDigestMismatch),
        "body" => sender.signs().then_some(RejectionKind::SignatureMismatch),
        "timestamp" => sender.has_timestamp().then_some(RejectionKind::TimestampTooOld),
        "future-timestamp" => sender.has_timestamp().then_some(RejectionKind::TimestampInFuture),
        "missing-timestamp" if is_listed => None,
        "missing-timestamp" => sender.has_timestamp().then_some(RejectionKind::TimestampMissing),
        _ => Some(RejectionKind::SignatureMismatch),
    }
}

#[test]
fn every_senders_delivery_is_accepted_and_every_broken_one_rejected_for_what_is_broken() {
    let mut broken = 0;
    for place in 0..named::all("http://localhost/").len() {
        let receiver = Receiver::start(|url| {
            let sender = &named::all(url)[place];
            Verifier::builder(sender.scheme.clone()).key(sender.key()).build().unwrap()
        });
        let sender = &named::all(&receiver.url)[place];
        let run = sender.signs_with("send").args([&receiver.url]).run();
        assert_eq!((run.status, receiver.reasons()), (0, vec![]), "{}: {run:?}", sender.name);
        assert!(run.stdout.starts_with("  200 OK: 1\n"), "{run:?}");

        for what in [
            "signature",
            "truncated-signature",
            "empty-signature",
            "missing-header",
            "duplicate-header",
            "body",
            "key",
            "timestamp",
            "future-timestamp",
            "missing-timestamp",
        ] {
            let run = sender.signs_with("send").args(["--break", what, &receiver.url]).run();
            let Some(reason) = reason(sender, what) else {
                assert_eq!((run.status, receiver.reasons()), (2, vec![]), "{} {what}: {run:?}", sender.name);
                continue;
            };
            assert_eq!(receiver.reasons(), [reason], "{} {what}: {run:?}", sender.name);
            assert_eq!(run.status, 0, "a rejection is wanted: {} {what}: {run:?}", sender.name);
            assert!(run.stdout.starts_with("  401 Unauthorized: 1\n"), "{run:?}");
            broken += 1;
        }
    }
    assert_eq!(broken, 253);
}

#[test]
fn an_answer_that_is_not_wanted_is_status_1() {
    let receiver = github();
    let run = send(&receiver).env("SECRET", "another").run();
    assert_eq!((run.status, receiver.reasons()), (1, vec![RejectionKind::SignatureMismatch]), "{run:?}");
    assert!(run.stdout.starts_with("  401 Unauthorized: 1, not wanted\n"), "{run:?}");
    assert_eq!(send(&receiver).args(["--expect", "401"]).env("SECRET", "another").run().status, 0);
    assert_eq!(send(&receiver).args(["--expect", "204"]).run().status, 1);
    // The handler would have answered 200.
    assert_eq!(send(&receiver).args(["--break", "body", "--expect", "200"]).run().status, 1);
}

#[test]
fn many_are_sent_and_counted() {
    let receiver = github();
    let run =
        send(&receiver).args(["--repeat", "50", "--concurrency", "5", "--rate", "1000", "--json"]).run();
    assert_eq!((run.status, &*run.stderr), (0, ""), "{run:?}");
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(summary["sent"], 50);
    assert_eq!(summary["as_wanted"], true);
    assert_eq!(summary["statuses"], serde_json::json!({ "200": 50 }));
    let latency = |name: &str| summary["latency_ms"][name].as_f64().unwrap();
    assert!(0.0 < latency("min") && latency("min") <= latency("median"), "{run:?}");
    assert!(latency("median") <= latency("p90") && latency("p99") <= latency("max"), "{run:?}");

    let run = send(&receiver).args(["--repeat", "3", "--break", "body"]).run();
    assert_eq!(receiver.reasons(), [RejectionKind::SignatureMismatch; 3]);
    assert!(run.stdout.starts_with("3 sent in "), "{run:?}");
    assert!(run.stdout.contains("\n  401 Unauthorized: 3\n  latency: min "), "{run:?}");
}

#[test]
fn no_answer_is_status_1_and_says_why() {
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", away.local_addr().unwrap());
    drop(away);
    let run = Program::new(["send", "--sender", "github", "--secret-env", "SECRET", &url])
        .env("SECRET", SECRET)
        .run();
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stdout.contains("Connection refused"), "{run:?}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let run = Program::new(["send", "--sender", "github", "--secret-env", "SECRET", "--timeout", "1", &url])
        .env("SECRET", SECRET)
        .run();
    assert_eq!((run.status, &*run.stdout), (1, "  no answer: 1, no answer within 1 s\n"), "{run:?}");
}

#[test]
fn https_is_sent_to_those_whom_the_system_trusts() {
    let certified = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let CertifiedKey { cert, signing_key } = certified();
    let folder = tempfile::tempdir().unwrap();
    let (trusted, other) = (folder.path().join("trusted.pem"), folder.path().join("other.pem"));
    fs::write(&trusted, cert.pem()).unwrap();
    fs::write(&other, certified().cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", server.local_addr().unwrap().port());
    let answering = thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = server.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let mut request = [0; 1 << 12];
            // A client that does not trust the server breaks off.
            if stream.read(&mut request).is_ok_and(|length| length > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        }
    });
    let send = |trusted: &Path| {
        let program = Program::new(["send", "--sender", "github", "--secret-env", "SECRET", &url]);
        program.env("SECRET", SECRET).env("SSL_CERT_FILE", trusted.to_str().unwrap()).run()
    };
    let run = send(&other);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stdout.contains("no answer: 1, ") && run.stdout.contains("ertificate"), "{run:?}");
    let run = send(&trusted);
    assert_eq!(run.status, 0, "{run:?}");
    answering.join().unwrap();
}

#[test]
#[cfg(unix)]
fn an_interrupted_load_reports_what_it_has() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let program =
        Program::new(["send", "--sender", "github", "--secret-env", "SECRET", "--repeat", "9", &url]);
    let run = program.env("SECRET", SECRET).run_while(|id| {
        // It has begun to send once it connects.
        let connected = silent.accept().unwrap();
        let killed = Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap();
        assert!(killed.success());
        // While it is open, the program waits for an answer.
        connected
    });
    assert_eq!((run.status, &*run.stdout), (1, "interrupted after 0 answers\n"), "{run:?}");
}

#[test]
fn a_hostile_answer_does_not_reach_the_terminal() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0; 1 << 12];
        assert_ne!(stream.read(&mut request).unwrap(), 0);
        stream
            .write_all(b"HTTP/1.1 200 \x1b[31mOK\r\nContent-Length: 6\r\n\r\n\x1b[2J\xff\n")
            .unwrap_or_default();
    });
    let run = Program::new(["send", "--sender", "github", "--secret-env", "SECRET", &url])
        .env("SECRET", SECRET)
        .run();
    answering.join().unwrap();
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
}

#[test]
fn the_command_for_curl_is_printed_instead_of_sending() {
    let receiver = github();
    let run = send(&receiver).args(["--as-curl", "--break", "body"]).run();
    assert_eq!((run.status, receiver.reasons()), (0, vec![]), "{run:?}");
    assert!(run.stdout.starts_with("curl --request POST --header "), "{run:?}");
    assert!(!run.stdout.contains(SECRET), "{run:?}");
}

#[test]
fn a_body_from_a_file_arrives_byte_by_byte() {
    let receiver = github();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    fs::write(&file, b"\xff\0\r\n").unwrap();
    let run = send(&receiver).args(["--body".into(), file.into_os_string()]).run();
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.ends_with("  \\xff\\0\\r\\n\n"), "the receiver answers with the body: {run:?}");
}
