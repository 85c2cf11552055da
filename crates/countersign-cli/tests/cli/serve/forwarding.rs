use super::{
    service::{OK, Reply, Service},
    serving::{Answer, Serving, delivery, route, signed},
};

#[test]
fn a_verified_delivery_reaches_the_service_byte_by_byte() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let answer = serving.send(
        &[
            format!(
                "POST /hook?a=%2f&b=%zz;&&c HTTP/1.1\r\nHost: example.com\r\n{}X-Raw: \u{e9}\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n",
                signed(&body),
                body.len()
            )
            .as_bytes(),
            &body,
        ]
        .concat(),
    );
    assert_eq!((answer.status, &*answer.body), (200, &b"ok"[..]));
    let (lines, arrived) = service.only();
    assert_eq!(lines[0], "POST /hook?a=%2f&b=%zz;&&c HTTP/1.1");
    assert_eq!(arrived, body);
    for line in [
        "host: example.com",
        "x-raw: \u{e9}",
        "content-length: 100000",
        "countersign-sender: extend",
        "countersign-key: 2026-q4",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "x-forwarded-host: example.com",
        "via: 1.1 countersign",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line} is missing: {lines:#?}");
    }
    let identity = lines.iter().find_map(|line| line.strip_prefix("countersign-identity: ")).unwrap();
    assert_eq!(identity.len(), 64);
}

#[test]
fn a_chunked_body_arrives_with_its_length() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let answer = serving.send(
        format!(
            "POST /hook HTTP/1.1\r\nHost: a\r\n{}Transfer-Encoding: chunked\r\nTrailer: X-Late\r\nConnection: close\r\n\r\n\
             3\r\n{{\"a\r\n4;x=y\r\n\":1}}\r\n0\r\nX-Late: forged\r\nCountersign-Sender: forged\r\n\r\n",
            signed(b"{\"a\":1}")
        )
        .as_bytes(),
    );
    assert_eq!(answer.status, 200);
    let (lines, body) = service.only();
    assert_eq!(body, b"{\"a\":1}");
    assert!(lines.contains(&"content-length: 7".to_owned()), "{lines:#?}");
    let text = service.text();
    assert!(!text.contains("forged") && !text.to_lowercase().contains("transfer-encoding"), "{text}");
}

#[test]
fn a_rejected_delivery_reaches_nobody_and_learns_nothing() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let good = delivery("", b"{}");
    let answers = [
        // Another body.
        serving.send(&[&good[..good.len() - 2], b"[]"].concat()),
        // No signature.
        serving.send(b"POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        // Two signatures.
        serving.send(&delivery(&signed(b"{}"), b"{}")),
    ];
    let without_date = |answer: &Answer| {
        answer.head.lines().filter(|line| !line.starts_with("date: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    for answer in &answers {
        assert_eq!((answer.status, answer.body.len()), (401, 0));
        assert_eq!(without_date(answer), without_date(&answers[0]));
    }
    assert_eq!(service.text(), "");
    assert_eq!(serving.send(&good).status, 200);
}

#[test]
fn only_routes_and_their_methods_are_served() {
    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let send = |start: &str| {
        let text = format!(
            "{start} HTTP/1.1\r\nHost: a\r\n{}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}",
            signed(b"{}")
        );
        serving.send(text.as_bytes())
    };
    for path in ["/", "/hook/", "/Hook", "//hook", "/%68ook", "/hook/../hook", "/x/../hook"] {
        assert_eq!(send(&format!("POST {path}")).status, 404, "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "post"] {
        let answer = send(&format!("{method} /hook"));
        assert!(answer.status == 405 && answer.has("allow: POST"), "{method}: {answer:?}");
    }
    assert_eq!(service.text(), "");
    assert_eq!(send("POST /hook").status, 200);
}

#[test]
fn the_answer_of_the_service_goes_back_as_it_is() {
    let service = Service::start(Reply::Bytes(
        b"HTTP/1.1 418 Teapot\r\nContent-Type: text/x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=5\r\n\
          Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    ));
    let serving = Serving::start(service.address, "", &route(""));
    let answer = serving.send(&delivery("", b"{}"));
    assert_eq!(answer.status, 418);
    for line in ["content-type: text/x", "set-cookie: a=1", "set-cookie: b=2"] {
        assert!(answer.has(line), "{line}: {answer:?}");
    }
    assert!(!answer.head.contains("x-hop") && !answer.head.contains("keep-alive"), "{answer:?}");
    assert_eq!(answer.body, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
}

#[test]
fn a_connection_carries_many_deliveries() {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    let service = Service::start(OK);
    let serving = Serving::start(service.address, "", &route(""));
    let mut stream = TcpStream::connect(serving.address).unwrap();
    for round in 0..3 {
        let body = format!("{{\"round\":{round}}}");
        let request =
            String::from_utf8(delivery("", body.as_bytes())).unwrap().replace("Connection: close\r\n", "");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
    }
    assert_eq!(service.text().matches("POST /hook ").count(), 3);
}
