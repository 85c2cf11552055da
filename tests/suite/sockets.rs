//! Over real sockets on loopback: the example receiver, and a hyper server without axum.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use countersign::senders;
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Layer, service_fn};

use crate::harness::{Delivery, hmac_delivery, verifier};

async fn receiver() -> SocketAddr {
    let app = axum_receiver::router(receiver_setup::demo_endpoints().unwrap(), |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// The head of a request: `ending` says how its body ends.
fn head(delivery: &Delivery, sender: &str, ending: &str) -> Vec<u8> {
    let mut head = format!("POST /webhooks/{sender} HTTP/1.1\r\nHost: test\r\n{ending}\r\n").into_bytes();
    for (name, value) in &delivery.headers {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    head
}

fn with_length(delivery: &Delivery, sender: &str) -> Vec<u8> {
    let body = delivery.body();
    [head(delivery, sender, &format!("Content-Length: {}", body.len())), body].concat()
}

/// The last request of its connection.
fn last(delivery: &Delivery, sender: &str) -> Vec<u8> {
    with_length(&delivery.with_header("connection", "close"), sender)
}

/// All that comes back until the server closes, as it does after the last request of a connection.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    closed.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

async fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    answer(&mut stream).await
}

fn moduslink(body: &str) -> Delivery {
    hmac_delivery(senders::moduslink(), receiver_setup::demo_keys::MODUSLINK, body)
}

#[tokio::test]
async fn the_receiver_answers_what_the_handler_saw() {
    let answer = send(receiver().await, &last(&moduslink("hello"), "moduslink")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // printf hello | sha256sum
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let json = format!(r#"{{"sender":"moduslink","key":"demo","bytes":5,"sha256":"{sha256}"}}"#);
    assert!(answer.ends_with(&json), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_is_verified_and_handed_on_whole() {
    let head = head(&moduslink("hello"), "moduslink", "Connection: close\r\nTransfer-Encoding: chunked");
    let bytes = [&head[..], b"1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n"].concat();
    let answer = send(receiver().await, &bytes).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(r#""bytes":5"#), "{answer}");
}

#[tokio::test]
async fn one_connection_carries_several_deliveries() {
    let delivery = moduslink("hello");
    let bytes = [with_length(&delivery, "moduslink").repeat(2), last(&delivery, "moduslink")].concat();
    let answer = send(receiver().await, &bytes).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
}

#[tokio::test]
async fn a_request_that_its_headers_refuse_is_never_told_to_continue_and_is_closed() {
    let ending = "Content-Length: 5\r\nConnection: close\r\nExpect: 100-continue";
    let unsigned = head(&Delivery::default(), "moduslink", ending);
    let answer = send(receiver().await, &unsigned).await;
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.contains("\r\nwww-authenticate: Webhook-Signature\r\n"), "{answer}");
    assert!(!answer.contains("100 Continue"), "{answer}");

    let signed = head(&moduslink("hello"), "moduslink", ending);
    let address = receiver().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&signed).await.unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    assert!(self::answer(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn an_unbelievable_content_length_is_413_at_once() {
    let head = head(&moduslink("hello"), "moduslink", "Content-Length: 1000000000000000");
    let answer = send(receiver().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_client_that_goes_away_midway_harms_nobody() {
    let address = receiver().await;
    let head = head(&moduslink("hello"), "moduslink", "Content-Length: 5");
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[&head[..], b"he"].concat()).await.unwrap();
        drop(stream);
    }
    let answer = send(address, &last(&moduslink("hello"), "moduslink")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn it_guards_a_hyper_server_without_axum() {
    let echo = service_fn(|request: Request<VerifiedBody>| async {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::new(body)))
    });
    let guarded = VerifyWebhookLayer::new(verifier(senders::extend(), "secret")).layer(echo);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(guarded.clone());
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    let sent = hmac_delivery(senders::extend(), "secret", "echo this");
    let answer = send(address, &last(&sent, "extend")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\necho this"), "{answer}");
    let answer = send(address, &last(&sent.with_body("echo that"), "extend")).await;
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nunauthorized\n"), "{answer}");
}
