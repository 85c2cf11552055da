use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    service::{OK, Reply, Service},
    serving::{Answer, PATIENCE, Serving, delivery, eventually, get, route, signed},
};

const ADMIN: &str = "admin = \"127.0.0.1:0\"\n";

#[test]
fn the_access_log_tells_each_verdict_and_no_secret() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let query = "?token=querysecret";
    let request =
        String::from_utf8(delivery("Authorization: headersecret\r\n", b"{\"body\":\"bodysecret\"}")).unwrap();
    assert_eq!(serving.send(request.replace("/hook", &format!("/hook{query}")).as_bytes()).status, 200);
    let line = serving.logged("the delivery", |line| line["verdict"] == "verified");
    assert_eq!(
        (&line["method"], &line["path"], &line["route"], &line["status"]),
        (&"POST".into(), &"/hook".into(), &"/hook".into(), &200.into())
    );
    assert_eq!((&line["sender"], &line["key"]), (&"extend".into(), &"2026-q4".into()));
    assert_eq!(
        (&line["bytes_in"], &line["bytes_out"], &line["complete"]),
        (&21.into(), &2.into(), &true.into())
    );
    assert!(line["milliseconds"].as_f64().unwrap() > 0.0);
    assert_eq!(line["identity"].as_str().unwrap().len(), 64);
    assert!(line["remote"].as_str().unwrap().starts_with("127.0.0.1:"));

    let forged = request.replace("bodysecret", "bodyforged");
    assert_eq!(serving.send(forged.as_bytes()).status, 401);
    let line = serving.logged("the rejection", |line| line["verdict"] == "rejected");
    assert_eq!(
        (&line["sender"], &line["reason"], &line["status"]),
        (&"extend".into(), &"signature_mismatch".into(), &401.into())
    );

    // A control character of Latin-1, which acts on terminals.
    let hostile = b"POST /\xc2\x9b2J%1b[2J\"\\{} HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(serving.send(hostile).status, 404);
    let line = serving.logged("the refusal", |line| line["verdict"] == "none");
    assert_eq!((&line["path"], &line["status"]), (&r#"/\u{9b}2J%1b[2J"\\{}"#.into(), &404.into()));

    let signature = signed(b"{\"body\":\"bodysecret\"}");
    let signature = signature.lines().next().unwrap().rsplit('=').next().unwrap().to_owned();
    let told = format!("{}{}", serving.stdout.all(), serving.stderr.all());
    for secret in [super::serving::SECRET, "querysecret", "headersecret", "bodysecret", &signature] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert!(told.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{told:?}");
}

#[test]
fn a_caller_that_goes_away_is_logged() {
    let (_sender, receiver) = mpsc::channel();
    let service = Service::start(Reply::Later(Arc::new(Mutex::new(receiver))));
    let serving = Serving::start(service.address, "", &route(""));
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.write_all(&delivery("", b"{}")).unwrap();
    eventually("the service has it", || !service.received().is_empty());
    drop(stream);
    let line = serving.logged("that nobody waits", |line| line["complete"] == false);
    assert_eq!((&line["verdict"], &line["status"]), (&"verified".into(), &serde_json::Value::Null));
}

#[test]
fn the_administrators_port_tells_health_readiness_and_metrics() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, ADMIN, &route(""));
    assert_eq!(serving.send(&delivery("", b"{}")).status, 200);
    assert_eq!(serving.send(b"POST /hook HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 401);
    for path in ["/health", "/ready"] {
        assert_eq!(get(serving.admin(), path).status, 200);
    }
    for line in [
        "countersign_serve_answers_total{route=\"/hook\",status=\"200\"} 1",
        "countersign_serve_answers_total{route=\"/hook\",status=\"401\"} 1",
        "countersign_serve_seconds_bucket{route=\"/hook\",le=",
        "countersign_deliveries_verified_total{sender=\"extend\",key=\"2026-q4\"} 1",
        "countersign_deliveries_rejected_total{sender=\"extend\",reason=\"signature_missing\",key=\"\"} 1",
    ] {
        let metrics = || String::from_utf8(get(serving.admin(), "/metrics").body).unwrap();
        eventually(line, || metrics().contains(line));
    }
    // It is another port, and what it tells is not on the deliveries'.
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(get(serving.address, path).status, 404);
    }
}

#[test]
fn a_request_in_flight_ends_before_the_program_does() {
    let (answer, receiver) = mpsc::channel();
    let service = Service::start(Reply::Later(Arc::new(Mutex::new(receiver))));
    let mut serving = Serving::start(service.address, ADMIN, &route(""));
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&delivery("", b"{}")).unwrap();
    // One that has not said anything yet holds nothing up.
    let _idle = TcpStream::connect(serving.address).unwrap();
    eventually("the service has it", || !service.received().is_empty());
    serving.signal("TERM");
    eventually("it is not ready any more", || get(serving.admin(), "/ready").status == 503);
    eventually("nobody is let in any more", || TcpStream::connect(serving.address).is_err());
    thread::sleep(Duration::from_millis(200));
    assert!(serving.is_running());
    answer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::parse(&bytes).status, 200);
    assert_eq!(serving.end(), Some(0));
    serving.logged("the last request", |line| line["status"] == 200);
}

#[test]
fn a_request_that_does_not_end_is_cut_off_after_its_time() {
    let service = Service::start(Reply::Nothing);
    let mut serving = Serving::start(
        service.address,
        "timeouts = { shutdown_seconds = 1, response_seconds = 600 }",
        &route(""),
    );
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.write_all(&delivery("", b"{}")).unwrap();
    eventually("the service has it", || !service.received().is_empty());
    serving.signal("INT");
    assert_eq!(serving.end(), Some(0));
    serving.logged("that it was cut off", |line| line["verdict"] == "verified" && line["complete"] == false);
}

#[test]
fn a_caller_that_takes_no_answer_loses_its_connection() {
    // More than the kernel's buffers hold.
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n".to_vec();
    answer.resize(answer.len() + (64 << 20), b'x');
    let service = Service::start(Reply::Bytes(answer.leak()));
    let serving = Serving::start(service.address, "timeouts = { send_seconds = 1 }", &route(""));
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.write_all(&delivery("", b"{}")).unwrap();
    serving.logged("that it is given up", |line| line["status"] == 200 && line["complete"] == false);
    drop(stream);
}

#[test]
fn a_line_of_the_access_log_is_short_whatever_a_caller_sends() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let path = "/\u{9b}".repeat(5_000);
    assert_eq!(serving.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).status, 404);
    let line = serving.logged("the refusal", |line| line["status"] == 404);
    assert!(line.to_string().len() < 5_000, "{}", line.to_string().len());
}

#[test]
fn weak_keys_are_told_and_rejections_are_in_the_access_log_only() {
    let service = Service::start(OK);
    let folder = TempDir::new().unwrap();
    let config =
        format!("listen = \"127.0.0.1:0\"\nupstream = \"http://{}\"\n{}", service.address, route(""));
    fs::write(folder.path().join("countersign.toml"), config).unwrap();
    let serving = Serving::start_in(folder, &[("SECRET", "q7Zt4")]);
    serving.stderr.wait("the weak key", |line| line.contains("fewer than 16 bytes"));
    assert_eq!(serving.send(&delivery("", b"{}")).status, 401);
    serving.logged("the rejection", |line| line["reason"] == "signature_mismatch");
    assert!(!serving.stderr.all().contains("delivery rejected"));
}

#[test]
fn connections_that_dribble_are_closed_and_hold_nobody_up() {
    let service = Service::start(OK);
    let serving = Serving::start(
        service.address,
        "timeouts = { head_seconds = 1, body_seconds = 1 }\nlimits = { connections = 50 }",
        &route(""),
    );
    // More than there is room for: some without a head, some without the end of a body.
    let mut slow: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(serving.address).unwrap()).collect();
    for (place, stream) in slow.iter_mut().enumerate() {
        let whole = delivery("", b"{\"a\":1}");
        let part = if place % 2 == 0 { &whole[..20] } else { &whole[..whole.len() - 1] };
        // One that waited for long may be closed before it is served.
        let _ = stream.write_all(part);
    }
    assert_eq!(serving.send(&delivery("", b"{}")).status, 200);
    for mut stream in slow {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            answer.is_empty() || matches!(Answer::parse(&answer).status, 408),
            "{}",
            answer.escape_ascii()
        );
    }
    assert_eq!(service.text().matches("POST ").count(), 1);
}
