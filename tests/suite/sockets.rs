//! Over real sockets on loopback: the example receivers of both frameworks, and a hyper server without axum.

use std::{convert::Infallible, future::Future, net::SocketAddr, thread, time::Duration};

use bytes::Bytes;
use countersign::{Linger, Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use flate2::{Compression, write::GzEncoder};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::{Layer, service_fn};
use tower_http::decompression::RequestDecompressionLayer;

use crate::harness::{Delivery, hmac_delivery, verifier};

const LIMIT: usize = countersign::DEFAULT_BODY_LIMIT;

/// Enough for a test that waits for the end of a refused connection.
const BRIEF: Linger = Linger::new(1 << 20, Duration::from_millis(200));

/// The example receiver of each framework, which serve until the tests end. Each call starts new ones: a receiver that another
/// test has used would answer the same delivery as a duplicate.
fn receivers() -> [(&'static str, SocketAddr); 2] {
    let endpoints = || receiver_setup::demo_endpoints().unwrap();
    let once = || receiver_setup::once_in_memory().unwrap();
    let axum = serve_axum(move || axum_receiver::router(endpoints(), once(), |_| {}));
    let actix =
        serve_actix(move |listener| actix_receiver::serve(listener, endpoints(), once(), |_| {}).unwrap());
    [("axum", axum), ("actix", actix)]
}

fn listener() -> (std::net::TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub(crate) fn serve_axum(app: impl FnOnce() -> axum::Router + Send + 'static) -> SocketAddr {
    let (listener, address) = listener();
    thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            axum::serve(TcpListener::from_std(listener).unwrap(), app()).await.unwrap();
        });
    });
    address
}

pub(crate) fn serve_actix(
    server: impl FnOnce(std::net::TcpListener) -> actix_web::dev::Server + Send + 'static,
) -> SocketAddr {
    let (listener, address) = listener();
    thread::spawn(move || actix_web::rt::System::new().block_on(async { server(listener).await }));
    address
}

/// Runs this against the receiver of each framework.
async fn with_each<F: Future<Output = ()>>(test: impl Fn(&'static str, SocketAddr) -> F) {
    for (framework, address) in receivers() {
        test(framework, address).await;
    }
}

/// The head of a request: `ending` says how its body ends.
pub(crate) fn head(delivery: &Delivery, sender: &str, ending: &str) -> Vec<u8> {
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
pub(crate) fn last(delivery: &Delivery, sender: &str) -> Vec<u8> {
    with_length(&delivery.with_header("connection", "close"), sender)
}

/// The head of the answer: a refused request that ends midway keeps its connection for a while.
async fn answer_head(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

/// All that comes back until the server closes, as it does after the last request of a connection.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    // A reset is how some servers end a connection of which they left something unread.
    let _ = closed.unwrap();
    String::from_utf8(answer).unwrap()
}

pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    answer(&mut stream).await
}

fn moduslink(body: impl Into<Vec<u8>>) -> Delivery {
    hmac_delivery(senders::moduslink(), receiver_setup::demo_keys::MODUSLINK, body)
}

#[track_caller]
pub(crate) fn assert_status(answer: &str, status: u16, framework: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{framework}: {answer}");
}

#[tokio::test]
async fn the_receiver_answers_what_the_handler_saw() {
    with_each(|framework, address| async move {
        let answer = send(address, &last(&moduslink("hello"), "moduslink")).await;
        assert_status(&answer, 200, framework);
        // printf hello | sha256sum
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let json = format!(r#"{{"sender":"moduslink","key":"demo","bytes":5,"sha256":"{sha256}"}}"#);
        assert!(answer.ends_with(&json), "{framework}: {answer}");
    })
    .await;
}

#[tokio::test]
async fn a_chunked_body_is_verified_and_handed_on_whole() {
    with_each(|framework, address| async move {
        let ending = "Connection: close\r\nTransfer-Encoding: chunked";
        let head = head(&moduslink("hello"), "moduslink", ending);
        let answer = send(address, &[&head[..], b"1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n"].concat()).await;
        assert_status(&answer, 200, framework);
        assert!(answer.contains(r#""bytes":5"#), "{framework}: {answer}");
    })
    .await;
}

#[tokio::test]
async fn a_body_in_chunks_of_one_byte_is_verified() {
    with_each(|framework, address| async move {
        let body = vec![b'x'; 20_000];
        let ending = "Connection: close\r\nTransfer-Encoding: chunked";
        let mut bytes = head(&moduslink(body.clone()), "moduslink", ending);
        bytes.extend(b"1\r\nx\r\n".repeat(body.len()));
        bytes.extend(b"0\r\n\r\n");
        let answer = send(address, &bytes).await;
        assert_status(&answer, 200, framework);
        assert!(answer.contains(r#""bytes":20000"#), "{framework}: {answer}");
    })
    .await;
}

#[tokio::test]
async fn one_connection_carries_several_deliveries() {
    with_each(|framework, address| async move {
        let delivery = moduslink("hello");
        let bytes = [with_length(&delivery, "moduslink").repeat(2), last(&delivery, "moduslink")].concat();
        let answer = send(address, &bytes).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{framework}: {answer}");
    })
    .await;
}

#[tokio::test]
async fn a_rejection_ends_its_connection_and_vouches_for_nothing_that_follows_on_it() {
    with_each(|framework, address| async move {
        let good = with_length(&moduslink("hello"), "moduslink");
        for bad in [Delivery::new([], "hello"), moduslink("hello").with_body("HELLO")] {
            let bad = with_length(&bad, "moduslink");
            let answer = send(address, &[&good[..], &bad].concat()).await;
            assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 1, "{framework}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 401 ").count(), 1, "{framework}: {answer}");
            // actix-web still answers what had arrived with the rejected request: each on its own merits.
            let answer = send(address, &bad.repeat(3)).await;
            assert!(!answer.contains("HTTP/1.1 200 "), "{framework}: {answer}");
        }
    })
    .await;
}

/// Head fields, but for the date, and body.
fn without_date(answer: &str) -> Vec<String> {
    let mut lines: Vec<String> = answer.lines().map(str::to_lowercase).collect();
    lines.retain(|line| !line.starts_with("date: "));
    lines.sort();
    lines
}

#[tokio::test]
async fn both_frameworks_answer_a_rejection_with_the_same_bytes_whatever_its_cause() {
    let [(_, axum), (_, actix)] = receivers();
    let sent = moduslink("hello");
    let expired = hmac_delivery(senders::moduslink(), receiver_setup::demo_keys::EXPIRED, "hello");
    let mut seen = Vec::new();
    for (sender, delivery) in [
        ("moduslink", Delivery::new([], "hello")),
        ("moduslink", sent.with_body("HELLO")),
        ("moduslink", sent.with_signature("short")),
        ("moduslink", sent.with_header("x-moduslink-hmac-sha256", "again")),
        ("moduslink", expired),
        ("extend", sent.clone()),
    ] {
        for address in [axum, actix] {
            seen.push(without_date(&send(address, &with_length(&delivery, sender)).await));
        }
    }
    seen.dedup();
    assert_eq!(
        seen,
        [[
            "",
            "connection: close",
            "content-length: 0",
            "http/1.1 401 unauthorized",
            "www-authenticate: webhook-signature",
        ]]
    );
    let large = head(&sent, "moduslink", "Content-Length: 1048577");
    let broken = [head(&sent, "moduslink", "Transfer-Encoding: chunked"), b"zz\r\n".to_vec()].concat();
    for (request, status) in [(large, 413), (broken, 400)] {
        let [by_axum, by_actix] = [answer_head(axum, &request).await, answer_head(actix, &request).await];
        assert_status(&by_axum, status, "axum");
        assert_eq!(without_date(&by_axum), without_date(&by_actix));
    }
}

/// Sends a head and then a chunk of one byte again and again, and says how long until the server closed.
pub(crate) async fn drip(address: SocketAddr, head: &[u8], chunk: &'static [u8]) -> (String, Duration) {
    let started = tokio::time::Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writer.write_all(chunk).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut answer)).await.unwrap();
    dripping.abort();
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

/// `Compress` puts a body of its own in the place of an empty one.
#[tokio::test]
async fn middleware_that_replaces_the_response_does_not_hold_a_rejected_connection_either() {
    let address = serve_actix(|listener| {
        let app = || {
            let guard = VerifyWebhook::new(verifier(senders::moduslink(), "secret")).linger(BRIEF);
            let resource = actix_web::web::resource("/webhooks/moduslink").wrap(guard);
            actix_web::App::new().wrap(actix_web::middleware::Compress::default()).service(resource)
        };
        actix_web::HttpServer::new(app).workers(1).listen(listener).unwrap().run()
    });
    for accepted in ["identity", "gzip"] {
        let ending = format!("Accept-Encoding: {accepted}\r\nTransfer-Encoding: chunked");
        let head = head(&Delivery::new([], ""), "moduslink", &ending);
        assert_status(&drip(address, &head, b"1\r\nx\r\n").await.0, 401, "actix");
    }
}

#[tokio::test]
async fn a_request_that_its_headers_reject_is_answered_and_closed_before_its_body_is_sent() {
    with_each(|framework, address| async move {
        let ending = "Content-Length: 5\r\nExpect: 100-continue";
        let answer = send(address, &head(&Delivery::new([], ""), "moduslink", ending)).await;
        // actix-web itself says 100 before any middleware runs; the guard's answer still comes without the body.
        let answer = match framework {
            "actix" => answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap().to_owned(),
            _ => answer,
        };
        assert_status(&answer, 401, framework);
        assert!(!answer.contains("100 Continue"), "{framework}: {answer}");
    })
    .await;
}

#[tokio::test]
async fn a_request_with_a_signature_is_told_to_continue() {
    with_each(|framework, address| async move {
        let ending = "Content-Length: 5\r\nConnection: close\r\nExpect: 100-continue";
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&head(&moduslink("hello"), "moduslink", ending)).await.unwrap();
        let mut told = [0; 25];
        stream.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n", "{framework}");
        stream.write_all(b"hello").await.unwrap();
        assert_status(&answer(&mut stream).await, 200, framework);
    })
    .await;
}

#[tokio::test]
async fn an_unbelievable_content_length_is_413_at_once() {
    with_each(|framework, address| async move {
        let head = head(&moduslink("hello"), "moduslink", "Content-Length: 1000000000000000");
        assert_status(&answer_head(address, &head).await, 413, framework);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_midway_harms_nobody() {
    with_each(|framework, address| async move {
        let head = head(&moduslink("hello"), "moduslink", "Content-Length: 5");
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&[&head[..], b"he"].concat()).await.unwrap();
            drop(stream);
        }
        let answer = send(address, &last(&moduslink("hello"), "moduslink")).await;
        assert_status(&answer, 200, framework);
    })
    .await;
}

/// Servers that decompress for their handler and answer what it saw, with this time for a body.
fn patient_for(limit: Duration) -> [(&'static str, SocketAddr); 2] {
    let axum = serve_axum(move || {
        let guard = VerifyWebhookLayer::new(verifier(senders::moduslink(), "secret"));
        let guard = guard.body_timeout(limit).linger(BRIEF);
        let echo = axum::routing::post(|body: Bytes| async { body });
        let app = axum::Router::new().route("/webhooks/moduslink", echo);
        app.layer(RequestDecompressionLayer::new()).layer(guard)
    });
    let actix = serve_actix(move |listener| {
        let app = move || {
            let guard = VerifyWebhook::new(verifier(senders::moduslink(), "secret"));
            let guard = guard.body_timeout(limit).linger(BRIEF);
            let echo = actix_web::web::post().to(|body: Bytes| async { body });
            let resource = actix_web::web::resource("/webhooks/moduslink").wrap(guard).route(echo);
            actix_web::App::new().app_data(actix_web::web::PayloadConfig::new(LIMIT)).service(resource)
        };
        actix_web::HttpServer::new(app).workers(2).listen(listener).unwrap().run()
    });
    [("axum", axum), ("actix", actix)]
}

#[tokio::test]
async fn a_client_that_sends_a_byte_at_a_time_runs_into_the_body_timeout() {
    for (framework, address) in patient_for(Duration::from_millis(300)) {
        let sent = hmac_delivery(senders::moduslink(), "secret", vec![b'x'; 1000]);
        let endings: [(&str, &[u8]); 2] =
            [("Content-Length: 1000", b"x"), ("Transfer-Encoding: chunked", b"1\r\nx\r\n")];
        for (ending, chunk) in endings {
            let (answer, took) = drip(address, &head(&sent, "moduslink", ending), chunk).await;
            assert_status(&answer, 408, framework);
            assert!(took >= Duration::from_millis(300), "{framework}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_compressed_body_is_verified_as_it_is_on_the_wire_and_decompressed_for_the_handler() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut encoder, b"a body of some length").unwrap();
    let sent = hmac_delivery(senders::moduslink(), "secret", encoder.finish().unwrap());
    let sent = sent.with_header("content-encoding", "gzip");
    for (framework, address) in patient_for(Duration::from_secs(300)) {
        let answer = send(address, &last(&sent, "moduslink")).await;
        assert_status(&answer, 200, framework);
        assert!(answer.ends_with("\r\n\r\na body of some length"), "{framework}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_uploads_at_the_limit_are_all_verified() {
    let sent = hmac_delivery(senders::moduslink(), "secret", vec![b'x'; LIMIT]);
    let bytes: Bytes = last(&sent, "moduslink").into();
    for (framework, address) in patient_for(Duration::from_secs(300)) {
        let mut uploads = JoinSet::new();
        for _ in 0..200 {
            let bytes = bytes.clone();
            uploads.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                let mut status = vec![0; 13];
                stream.read_exact(&mut status).await.unwrap();
                String::from_utf8(status).unwrap()
            });
        }
        let answers = uploads.join_all().await;
        assert_eq!(answers.len(), 200);
        for answer in answers {
            assert_status(&answer, 200, framework);
        }
    }
}

#[tokio::test]
async fn http_2_without_tls_is_verified_alike_and_says_nothing_of_the_connection() {
    let [(_, address), _] = receivers();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (delivery, status) in [(moduslink("hello"), 200), (moduslink("hello").with_body("HELLO"), 401)] {
        let mut request = Request::post(format!("http://{address}/webhooks/moduslink"));
        for (name, value) in &delivery.headers {
            request = request.header(name, value.as_slice());
        }
        let request = request.body(Full::new(Bytes::from(delivery.body()))).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.status(), status);
        assert!(!response.headers().contains_key("connection"));
    }
}

#[tokio::test]
async fn it_guards_a_hyper_server_without_axum() {
    let echo = service_fn(|request: Request<VerifiedBody>| async {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::new(body)))
    });
    let verifier = Verifier::builder(senders::extend())
        .secret("k", Secret::new("secret").dangerously_accept_placeholder())
        .build()
        .unwrap();
    let guarded = VerifyWebhookLayer::new(verifier).layer(echo);
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
    assert_status(&answer, 200, "hyper");
    assert!(answer.ends_with("\r\n\r\necho this"), "{answer}");
    let answer = send(address, &last(&sent.with_body("echo that"), "extend")).await;
    assert_status(&answer, 401, "hyper");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}
