use std::net::TcpListener;

use super::{
    service::{OK, Reply, Service},
    serving::{Serving, delivery, route},
};

#[test]
fn a_service_that_is_away_is_503_until_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let serving = Serving::start(address, "", &route(""));
    let answer = serving.send(&delivery("", b"{}"));
    assert!(answer.status == 503 && answer.has("retry-after: 5") && answer.body.is_empty(), "{answer:?}");
    serving.logged("that it is away", |line| line["upstream"] == "away" && line["status"] == 503);
    // Another program may have taken the port.
    let Ok(listener) = TcpListener::bind(address) else { return };
    let _service = Service::on(listener, OK);
    assert_eq!(serving.send(&delivery("", b"{}")).status, 200);
}

#[test]
fn a_slow_service_is_504() {
    let service = Service::start(Reply::Nothing);
    let serving = Serving::start(service.address, "timeouts = { response_seconds = 1 }", &route(""));
    let answer = serving.send(&delivery("", b"{}"));
    assert!(answer.status == 504 && answer.has("retry-after: 5") && answer.body.is_empty(), "{answer:?}");
    serving.logged("that it is slow", |line| line["upstream"] == "slow" && line["verdict"] == "verified");
}

#[test]
fn a_service_that_answers_no_http_is_502() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"",
    ] {
        let service = Service::start(Reply::Last(garbage));
        let serving = Serving::start(service.address, "", &route(""));
        let answer = serving.send(&delivery("", b"{}"));
        assert!(answer.status == 502 && answer.has("retry-after: 5") && answer.body.is_empty(), "{answer:?}");
        serving.logged("that it is broken", |line| line["upstream"] == "broken");
    }
}

#[test]
fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    let service = Service::start(Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    let serving = Serving::start(service.address, "", &route(""));
    let answer = serving.send(&delivery("", b"{}"));
    assert!(answer.has("content-length: 100") && answer.body.len() < 100, "{answer:?}");
    serving.logged("that it broke off", |line| line["complete"] == false);

    let service = Service::start(Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    let serving = Serving::start(service.address, "timeouts = { response_seconds = 1 }", &route(""));
    let answer = serving.send(&delivery("", b"{}"));
    assert!(answer.has("content-length: 100") && answer.body.len() < 100, "{answer:?}");
}

#[test]
fn an_answer_that_nobody_asked_for_is_given_to_nobody() {
    let service = Service::start(Reply::Bytes(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
    ));
    let serving = Serving::start(service.address, "", &route(""));
    for _ in 0..5 {
        let answer = serving.send(&delivery("", b"{}"));
        assert!(answer.status == 502 || answer.body == b"ok", "{answer:?}");
    }
}

#[test]
fn a_length_beside_a_coding_does_not_reach_the_sender() {
    let service = Service::start(Reply::Last(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ));
    let serving = Serving::start(service.address, "", &route(""));
    let answer = serving.send(&delivery("", b"{}"));
    assert!(!answer.has("content-length: 5") && answer.body == b"2\r\nok\r\n0\r\n\r\n", "{answer:?}");
}
