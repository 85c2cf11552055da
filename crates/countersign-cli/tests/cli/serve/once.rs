use std::sync::{Arc, Mutex, mpsc};

use super::{
    service::{OK, Reply, Service},
    serving::{Serving, delivery, route},
};

fn once() -> String {
    route("handling = \"once\"")
}

#[test]
fn a_delivery_that_comes_again_is_answered_and_not_forwarded() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "[once]", &once());
    let delivery = delivery("", b"{}");
    let first = serving.send(&delivery);
    assert_eq!((first.status, &*first.body), (200, &b"ok"[..]));
    serving.logged("the first", |line| line["once"] == "new" && line["upstream"].is_null());
    let second = serving.send(&delivery);
    assert_eq!((second.status, &*second.body), (200, &b""[..]));
    serving.logged("the second", |line| line["once"] == "duplicate" && line["verdict"] == "verified");
    assert_eq!(service.text().matches("POST ").count(), 1);
}

#[test]
fn a_delivery_that_the_service_did_not_take_is_forwarded_again() {
    let (answers, receiver) = mpsc::channel();
    let service = Service::start(Reply::Later(Arc::new(Mutex::new(receiver))));
    let serving = Serving::start(service.address, "[once]", &once());
    let delivery = delivery("", b"{}");
    answers.send(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n").unwrap();
    assert_eq!(serving.send(&delivery).status, 500);
    answers.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    assert_eq!(serving.send(&delivery).status, 200);
    assert_eq!(serving.send(&delivery).status, 200);
    assert_eq!(service.text().matches("POST ").count(), 2);
}

#[test]
fn a_store_remembers_beyond_the_program() {
    let service = Service::start(OK);
    let mut serving = Serving::start(service.address, "[once]\nsqlite = \"once.db\"", &once());
    let delivery = delivery("", b"{}");
    assert_eq!(serving.send(&delivery).status, 200);
    serving.signal("KILL");
    serving.end();
    let serving = Serving::start_in(serving.folder(), &[]);
    assert_eq!(serving.send(&delivery).status, 200);
    assert_eq!(service.text().matches("POST ").count(), 1);
}
