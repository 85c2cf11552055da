//! Requests on which two parsers may disagree. Whatever the guard makes of them, the service sees whole verified deliveries or
//! nothing.

use super::{
    service::{OK, Service},
    serving::{Serving, delivery, exchange, route, signed},
};

/// A request that must never reach the service.
const HIDDEN: &str = "POST /hidden HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

/// What reaches the service of these bytes, and the status of the first answer.
fn through(bytes: &[u8]) -> (u16, String) {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let answer = serving.send(bytes);
    // The program is as well as before, and what arrives afterwards is one more request.
    let before = service.text();
    assert_eq!(serving.send(&delivery("X-Last: yes\r\n", b"{}")).status, 200);
    let after = service.text();
    assert!(after.starts_with(&before) && after.contains("x-last: yes"), "{after}");
    assert!(!after.contains("/hidden"), "{after}");
    (answer.status, before)
}

#[test]
fn both_lengths_hide_nothing_in_either_order() {
    let body = format!("0\r\n\r\n{HIDDEN}");
    // The signature is over what a parser takes that believes the length.
    let signature = signed(body.as_bytes());
    for lines in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", body.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", body.len()),
        format!(
            "Transfer-Encoding: chunked\r\nContent-Length: {}\r\nTransfer-Encoding: identity\r\n",
            body.len()
        ),
    ] {
        let request = format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}{lines}\r\n{body}");
        let (status, reached) = through(request.as_bytes());
        assert!(matches!(status, 400 | 401), "{status}: {lines}");
        assert_eq!(reached, "", "{lines}");
    }
    // And over what a parser takes that believes the coding: the connection ends, and nobody takes the rest for a request.
    for lines in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", body.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", body.len()),
    ] {
        let request = format!("POST /hook HTTP/1.1\r\nHost: a\r\n{}{lines}\r\n{body}", signed(b""));
        let (_, reached) = through(request.as_bytes());
        assert!(reached.matches("HTTP/1.1\r\n").count() <= 1, "{reached}");
        let serving = Serving::start(Service::start(OK).address, "", &route(""));
        let answers = exchange(serving.address, request.as_bytes());
        assert_eq!(String::from_utf8_lossy(&answers).matches("HTTP/1.1 ").count(), 1, "{lines}");
    }
}

#[test]
fn lengths_that_are_none_are_refused() {
    for length in ["2, 2", "+2", "-2", "0x2", "2 2", "99999999999999999999", "2\r\nContent-Length: 3", ""] {
        let request = format!(
            "POST /hook HTTP/1.1\r\nHost: a\r\n{}Content-Length: {length}\r\n\r\n{{}}",
            signed(b"{}")
        );
        let (status, reached) = through(request.as_bytes());
        assert_eq!((status, &*reached), (400, ""), "{length}");
    }
}

#[test]
fn codings_other_than_chunked_alone_are_refused() {
    for coding in [
        "gzip, chunked",
        "chunked, chunked",
        "identity",
        "xchunked",
        "chunked\r\nTransfer-Encoding: gzip",
        "gzip\r\nTransfer-Encoding: chunked",
        "\x0bchunked",
        "chunked;q=1",
        "",
    ] {
        let request = format!(
            "POST /hook HTTP/1.1\r\nHost: a\r\n{}Transfer-Encoding: {coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n",
            signed(b"{}")
        );
        let (status, reached) = through(request.as_bytes());
        assert_eq!((status, &*reached), (400, ""), "{coding:?}");
    }
}

#[test]
fn chunks_that_are_none_are_refused() {
    for chunks in [
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "\r\n2\r\n{}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "g\r\n{}\r\n0\r\n\r\n",
    ] {
        let request = format!(
            "POST /hook HTTP/1.1\r\nHost: a\r\n{}Transfer-Encoding: chunked\r\n\r\n{chunks}",
            signed(b"{}")
        );
        let (status, reached) = through(request.as_bytes());
        assert_eq!((status, &*reached), (400, ""), "{chunks:?}");
    }
}

#[test]
fn heads_on_which_parsers_disagree_are_refused() {
    let signature = signed(b"{}");
    let end = "Content-Length: 2\r\nConnection: close\r\n\r\n{}";
    for head in [
        // Folded lines.
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}X-Folded: a\r\n b\r\n"),
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}Countersign-Sender:\r\n\tforged\r\n"),
        // White space around names.
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}Countersign-Sender : forged\r\n"),
        format!("POST /hook HTTP/1.1\r\n Host: a\r\n{signature}"),
        // Names and values that are none.
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}X-Nul: a\0b\r\n"),
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}X-Return: a\rCountersign-Sender: forged\r\n"),
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}: forged\r\n"),
        format!("POST /hook HTTP/1.1\r\nHost: a\r\n{signature}no colon\r\n"),
        // Hosts.
        format!("POST /hook HTTP/1.1\r\nHost: a\r\nHost: b\r\n{signature}"),
        format!("POST /hook HTTP/1.1\r\nHost: a\r\nHost: a\r\n{signature}"),
        format!("POST /hook HTTP/1.1\r\nHost: a, b\r\n{signature}"),
        format!("POST /hook HTTP/1.1\r\nHost: user@a\r\n{signature}"),
        format!("POST /hook HTTP/1.1\r\nHost: a/hidden\r\n{signature}"),
        format!("POST /hook HTTP/1.1\r\n{signature}"),
        // Targets and request lines.
        format!("POST http://a/hook HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("POST http://other/hook HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("POST a:80 HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("OPTIONS * HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("POST hook HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("POST /hook HTTP/1.2\r\nHost: a\r\n{signature}"),
        format!("POST /hook HTTP/2.0\r\nHost: a\r\n{signature}"),
        format!("POST /hook\t HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("POST  /hook HTTP/1.1\r\nHost: a\r\n{signature}"),
        format!("POST /hook /hidden HTTP/1.1\r\nHost: a\r\n{signature}"),
    ] {
        let (status, reached) = through(format!("{head}{end}").as_bytes());
        assert_eq!((status, &*reached), (400, ""), "{head:?}");
    }
}

#[test]
fn what_follows_a_delivery_is_a_request_of_its_own() {
    let first = String::from_utf8(delivery("", b"{}")).unwrap().replace("Connection: close\r\n", "");
    let (status, reached) = through(format!("{first}{HIDDEN}").as_bytes());
    assert_eq!(status, 200);
    assert_eq!(reached.matches("HTTP/1.1\r\n").count(), 1, "{reached}");
}

#[test]
fn http_2_without_tls_is_closed_without_an_answer() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let frames =
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"[..], &delivery("", b"{}")].concat();
    assert_eq!(exchange(serving.address, &frames).escape_ascii().to_string(), "");
    assert_eq!(service.text(), "");
}
