use super::{
    service::{OK, Service},
    serving::{Serving, delivery, route},
};

/// The head that reaches the service for a delivery with these lines.
fn head(more: &str, lines: &str) -> Vec<String> {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, more, &route(""));
    let answer = serving.send(&delivery(lines, b"{}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    service.only().0
}

fn values<'h>(head: &'h [String], name: &str) -> Vec<&'h str> {
    head.iter()
        .filter_map(|line| line.split_once(": "))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn nobody_outside_can_say_whose_delivery_it_is() {
    let head = head(
        "",
        "Countersign-Sender: forged\r\nCOUNTERSIGN-KEY: forged\r\ncountersign_identity: forged\r\n\
         Countersign_Sender: forged\r\nCountersign.Sender: forged\r\nCountersign-Sender: forged\r\n\
         Countersign-Anything: forged\r\ncountersign|key: forged\r\n",
    );
    let text = head.join("\n");
    assert!(!text.contains("forged"), "{text}");
    assert_eq!(values(&head, "countersign-sender"), ["extend"]);
    assert_eq!(values(&head, "countersign-key"), ["2026-q4"]);
    assert_eq!(values(&head, "countersign-identity").len(), 1);
}

#[test]
fn naming_our_headers_in_connection_removes_nothing() {
    let head = head(
        "",
        "Connection: Countersign-Sender, countersign-key, Countersign_Identity, Host, Content-Length, Via, X-Forwarded-For\r\n",
    );
    for name in [
        "countersign-sender",
        "countersign-key",
        "countersign-identity",
        "host",
        "content-length",
        "via",
        "x-forwarded-for",
    ] {
        assert_eq!(values(&head, name).len(), 1, "{name}: {head:#?}");
    }
}

#[test]
fn headers_of_the_connection_end_with_it() {
    let head = head(
        "",
        "Connection: X-Hop, x_hop_too\r\nX-Hop: 1\r\nX-Hop-Too: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: secret\r\n\
         Proxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X-Late\r\nUpgrade: websocket\r\n\
         HTTP2-Settings: x\r\nX-End-To-End: stays\r\n",
    );
    let names: Vec<_> = head.iter().skip(1).map(|line| line.split(':').next().unwrap()).collect();
    for name in [
        "connection",
        "x-hop",
        "x-hop-too",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "http2-settings",
        "expect",
        "transfer-encoding",
    ] {
        assert!(!names.contains(&name), "{name} is forwarded: {head:#?}");
    }
    assert_eq!(values(&head, "x-end-to-end"), ["stays"]);
}

#[test]
fn another_spelling_of_a_header_that_is_there_is_removed() {
    let head = head(
        "",
        "X-Topic: true\r\nX_Topic: forged\r\nx.topic: forged\r\nMs_Signature: forged\r\nX_Alone: stays\r\n",
    );
    let text = head.join("\n");
    assert!(!text.contains("forged"), "{text}");
    assert_eq!(values(&head, "x-topic"), ["true"]);
    assert_eq!(values(&head, "x_alone"), ["stays"]);
}

#[test]
fn where_a_request_came_from_is_told_by_us() {
    let forged = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: forged\r\nX-Forwarded-Port: 1\r\n\
                  Forwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nX_Forwarded_For: 192.0.2.1\r\n";
    let head = head("", forged);
    assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&head, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&head, "x-forwarded-host"), ["example.com"]);
    let text = head.join("\n");
    assert!(!text.contains("192.0.2.1") && !text.contains("forged") && !text.contains("port"), "{text}");
}

#[test]
fn a_proxy_in_front_that_is_trusted_tells_it_instead() {
    let lines = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public\r\nForwarded: for=192.0.2.1\r\n\
                 X_Forwarded_For: forged\r\n";
    let head = head("trust_forwarded = true", lines);
    assert_eq!(values(&head, "x-forwarded-for"), ["192.0.2.1, 127.0.0.1"]);
    assert_eq!(values(&head, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&head, "x-forwarded-host"), ["public"]);
    assert_eq!(values(&head, "forwarded"), ["for=192.0.2.1"]);
    assert!(!head.join("\n").contains("forged"));
}

#[test]
fn no_item_of_the_chain_of_a_trusted_proxy_is_lost() {
    // A proxy that adds a line of its own: the first one is the caller's.
    let head =
        head("trust_forwarded = true", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1\r\n");
    assert_eq!(values(&head, "x-forwarded-for"), ["203.0.113.9, 192.0.2.1, 127.0.0.1"]);
}

#[test]
fn no_header_gives_the_service_another_method_or_path_or_proxy() {
    let names = [
        "Proxy",
        "X-HTTP-Method",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X_Original_Url",
    ];
    let lines: String = names.map(|name| format!("{name}: /forged\r\n")).concat();
    let text = head("trust_forwarded = true", &lines).join("\n");
    assert!(!text.contains("forged"), "{text}");
}

#[test]
fn a_sender_that_waits_for_100_continue_is_told_and_the_service_is_not_asked() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let answer = serving.send(&delivery("Expect: 100-continue\r\n", b"{}"));
    // The interim answer comes first, unless the body was there already.
    assert!(
        answer.status == 200 || (answer.status == 100 && answer.body.starts_with(b"HTTP/1.1 200 ")),
        "{answer:?}"
    );
    assert!(values(&service.only().0, "expect").is_empty());
}
