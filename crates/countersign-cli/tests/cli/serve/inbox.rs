use std::{
    fs,
    sync::{Arc, Mutex, mpsc},
};

use super::{
    service::{OK, Reply, Service},
    serving::{Serving, delivery, eventually, route},
};

const INBOX: &str = "[inbox]\nfile = \"inbox.db\"";

fn inbox() -> String {
    route("handling = \"inbox\"")
}

#[test]
fn a_delivery_is_answered_and_forwarded_until_the_service_takes_it() {
    let (answers, receiver) = mpsc::channel();
    let service = Service::start(Reply::Later(Arc::new(Mutex::new(receiver))));
    let serving = Serving::start(service.address, INBOX, &inbox());
    let request =
        delivery("X-Raw: \u{e9}\r\nX-Two: 1\r\nX-Two: 2\r\nCountersign_Key: forged\r\n", b"{\"a\":1}");
    let request = String::from_utf8(request).unwrap().replace("/hook", "/hook?a=%2f&b");
    // The service has said nothing yet.
    assert_eq!(serving.send(request.as_bytes()).status, 200);
    serving.logged("that it is stored", |line| line["inbox"] == "new");
    // A copy is no other delivery.
    assert_eq!(serving.send(request.as_bytes()).status, 200);
    serving.logged("that it is stored already", |line| line["inbox"] == "duplicate");
    answers.send(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    answers.send(b"HTTP/1.1 204 OK\r\n\r\n").unwrap();
    let attempts = || service.text().matches("POST ").count();
    eventually("there is a second attempt", || attempts() == 2 && service.text().ends_with("{\"a\":1}"));
    let text = service.text();
    let (first, second) = text.split_at(text.rfind("POST ").unwrap());
    assert_eq!(first, second);
    assert!(
        first.starts_with("POST /hook?a=%2f&b HTTP/1.1\r\n") && first.ends_with("\r\n\r\n{\"a\":1}"),
        "{first}"
    );
    for line in [
        "host: example.com",
        "x-raw: \u{e9}",
        "x-two: 1",
        "x-two: 2",
        "content-length: 7",
        "countersign-sender: extend",
        "countersign-key: 2026-q4",
        "x-forwarded-for: 127.0.0.1",
    ] {
        assert!(first.contains(&format!("\r\n{line}\r\n")), "{line} is missing: {first}");
    }
    assert!(!first.contains("forged"), "{first}");
}

#[test]
fn a_delivery_that_is_answered_outlives_the_program() {
    // Nobody listens there.
    let mut serving = Serving::start("127.0.0.1:1".parse().unwrap(), INBOX, &inbox());
    assert_eq!(serving.send(&delivery("", b"{}")).status, 200);
    // Between two attempts, no worker holds it.
    serving.stderr.wait("that it failed", |line| line.contains("tried again"));
    serving.signal("KILL");
    serving.end();
    let service = Service::start(OK);
    let file = serving.file("countersign.toml");
    let config =
        fs::read_to_string(&file).unwrap().replace("127.0.0.1:1\"", &format!("{}\"", service.address));
    fs::write(&file, config).unwrap();
    let _serving = Serving::start_in(serving.folder(), &[]);
    eventually("it is forwarded", || service.text().contains("countersign-sender: extend"));
}

#[test]
fn what_is_not_verified_is_not_stored() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, INBOX, &inbox());
    let good = delivery("", b"{}");
    assert_eq!(serving.send(&[&good[..good.len() - 2], b"[]"].concat()).status, 401);
    assert_eq!(serving.send(&good).status, 200);
    eventually("the good one is forwarded", || service.text().ends_with("{}"));
    assert_eq!(service.text().matches("POST ").count(), 1);
}
