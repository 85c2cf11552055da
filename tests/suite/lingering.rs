//! A refused sender that writes its whole body before it reads sees its answer, and one that never stops is cut off.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use actix_web::{
    App,
    body::{BodySize, MessageBody},
    test::{TestRequest, call_service, init_service},
    web,
};
use bytes::Bytes;
use countersign::{BodyBudget, Linger, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use http::{Request, Response};
use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::{Layer, Service, service_fn};

use crate::{
    guard::Endless,
    harness::{Delivery, good, hmac_delivery, request, verifier},
    sockets::{assert_status, drip, head, serve_actix, serve_axum},
};

const MIB: usize = 1 << 20;

/// Bounds that no sender here reaches.
const AMPLE: Linger = Linger::new(64 * MIB, Duration::from_secs(60));

/// How a server of these tests is set up.
#[derive(Clone)]
struct Setup {
    linger: Linger,
    body_timeout: Duration,
    budget: BodyBudget,
}

impl Setup {
    fn new(linger: Linger) -> Self {
        Self { linger, body_timeout: Duration::from_secs(60), budget: BodyBudget::new(usize::MAX) }
    }

    /// A guarded server of each framework, which speaks HTTP/1 and HTTP/2.
    fn serve(self) -> [(&'static str, SocketAddr); 2] {
        let verifier = || verifier(senders::moduslink(), "secret");
        let Self { linger, body_timeout, budget } = self.clone();
        let axum = serve_axum(move || {
            let guard = VerifyWebhookLayer::new(verifier()).body_timeout(body_timeout).body_budget(budget);
            let route = axum::routing::post(async || "accepted").layer(guard.linger(linger));
            axum::Router::new().route("/webhooks/moduslink", route)
        });
        let Self { linger, body_timeout, budget } = self;
        let actix = serve_actix(move |listener| {
            let app = move || {
                let guard =
                    VerifyWebhook::new(verifier()).body_timeout(body_timeout).body_budget(budget.clone());
                let route = actix_web::web::post().to(async || "accepted");
                let resource = actix_web::web::resource("/webhooks/moduslink").wrap(guard.linger(linger));
                actix_web::App::new().service(resource.route(route))
            };
            // Without this, actix-web reads on after the guard for a second.
            let server = actix_web::HttpServer::new(app).client_disconnect_timeout(Duration::ZERO);
            server.workers(2).listen_auto_h2c(listener).unwrap().run()
        });
        [("axum", axum), ("actix", actix)]
    }
}

fn unsigned() -> Delivery {
    Delivery::new([], "")
}

/// Its signature is well-formed, so that its body is what decides.
fn signed() -> Delivery {
    hmac_delivery(senders::moduslink(), "secret", "")
}

/// The request on HTTP/1.1, announced by its length.
fn sized(delivery: &Delivery, size: usize) -> Vec<u8> {
    [head(delivery, "moduslink", &format!("Content-Length: {size}")), vec![b'x'; size]].concat()
}

/// The request on HTTP/1.1, in chunks of 16 KiB.
fn chunked(delivery: &Delivery, size: usize) -> Vec<u8> {
    let mut bytes = head(delivery, "moduslink", "Transfer-Encoding: chunked");
    for chunk in vec![b'x'; size].chunks(16 * 1024) {
        bytes.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// Writes the whole request, in four pieces with pauses between them, before it reads the answer to the connection's end.
async fn answer_to(address: SocketAddr, request: &[u8], pause: Duration) -> String {
    let answer = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for piece in request.chunks(request.len().div_ceil(4)) {
            stream.write_all(piece).await.unwrap();
            sleep(pause).await;
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    timeout(Duration::from_secs(30), answer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_writes_its_whole_body_first_sees_every_refusal() {
    let cases = [
        ("413 by Content-Length, 2 MB", 413, sized(&signed(), 2_000_000)),
        ("413 by Content-Length, 1 MiB + 1", 413, sized(&signed(), MIB + 1)),
        ("413 in chunks, 1 MiB + 1", 413, chunked(&signed(), MIB + 1)),
        ("413 in chunks, 2 MB", 413, chunked(&signed(), 2_000_000)),
        ("401, 900 kB", 401, sized(&unsigned(), 900_000)),
        ("401 in chunks, 900 kB", 401, chunked(&unsigned(), 900_000)),
        ("401 in chunks, 5 bytes", 401, chunked(&unsigned(), 5)),
    ];
    for (framework, address) in Setup::new(AMPLE).serve() {
        for (name, status, request) in &cases {
            let mut senders = JoinSet::new();
            for sender in 0..20 {
                let request = request.clone();
                // Half of them are still writing when they are answered.
                let pause = Duration::from_millis(if sender % 2 == 0 { 0 } else { 10 });
                senders.spawn(async move { answer_to(address, &request, pause).await });
            }
            for answer in senders.join_all().await {
                assert_status(&answer, *status, &format!("{framework}, {name}"));
                assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{framework}, {name}: {answer}");
                assert!(answer.to_lowercase().contains("content-length: 0\r\n"), "{framework}: {answer}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_for_which_there_is_no_budget_sees_its_503() {
    let mut setup = Setup::new(AMPLE);
    setup.budget = BodyBudget::new(500_000);
    for (framework, address) in setup.serve() {
        for request in [sized(&signed(), 900_000), chunked(&signed(), 900_000)] {
            for _ in 0..20 {
                let pause = Duration::from_millis(5);
                let answer = answer_to(address, &request, pause).await;
                assert_status(&answer, 503, framework);
            }
        }
    }
}

#[tokio::test]
async fn a_sender_that_is_too_slow_sees_its_408() {
    let mut setup = Setup::new(AMPLE);
    setup.body_timeout = Duration::from_millis(100);
    for (framework, address) in setup.serve() {
        for request in [sized(&signed(), 900_000), chunked(&signed(), 900_000)] {
            let pause = Duration::from_millis(150);
            let answer = answer_to(address, &request, pause).await;
            assert_status(&answer, 408, framework);
        }
    }
}

/// Sends the whole body on a stream of this connection, whatever comes back, and then looks at the answer.
async fn status_on_http_2(
    client: &h2::client::SendRequest<Bytes>,
    address: SocketAddr,
    delivery: &Delivery,
    body: &[u8],
) -> Result<u16, h2::Error> {
    let mut request = Request::post(format!("http://{address}/webhooks/moduslink"));
    for (name, value) in &delivery.headers {
        request = request.header(name, value.as_slice());
    }
    let (response, mut stream) =
        client.clone().ready().await?.send_request(request.body(()).unwrap(), false)?;
    let mut left = Bytes::copy_from_slice(body);
    while !left.is_empty() {
        stream.reserve_capacity(left.len());
        let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
        let Some(room) = room.transpose()? else { return Err(h2::Reason::CANCEL.into()) };
        stream.send_data(left.split_to(room), left.is_empty())?;
    }
    Ok(response.await?.status().as_u16())
}

#[tokio::test]
async fn a_sender_on_http_2_sends_its_whole_body_and_sees_every_refusal() {
    for (framework, address) in Setup::new(AMPLE).serve() {
        let stream = TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        // Larger than any window, again and again: what is discarded makes room for the next.
        for _ in 0..20 {
            for (delivery, size, status) in
                [(signed(), 2_000_000, 413), (signed(), MIB + 1, 413), (unsigned(), 900_000, 401)]
            {
                let answer = status_on_http_2(&client, address, &delivery, &vec![b'x'; size]).await;
                assert_eq!(answer.unwrap(), status, "{framework}, {size} bytes");
            }
        }
        let answer = status_on_http_2(&client, address, &good(), &good().body()).await;
        assert_eq!(answer.unwrap(), 200, "{framework}");
    }
}

#[tokio::test]
async fn a_stream_of_http_2_is_reset_at_the_bound_and_its_connection_lives_on() {
    for (framework, address) in Setup::new(Linger::new(MIB, Duration::from_secs(60))).serve() {
        let stream = TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let answer = status_on_http_2(&client, address, &unsigned(), &vec![b'x'; 32 * MIB]).await;
        answer.unwrap_err();
        let answer = status_on_http_2(&client, address, &good(), &good().body()).await;
        assert_eq!(answer.unwrap(), 200, "{framework}");
    }
}

const ENDINGS: [(&str, &[u8]); 2] =
    [("Content-Length: 100000", b"x"), ("Transfer-Encoding: chunked", b"1\r\nx\r\n")];

#[tokio::test]
async fn a_sender_that_dribbles_is_answered_at_once_and_cut_off_at_the_bound_in_time() {
    let bound = Duration::from_secs(1);
    for (framework, address) in Setup::new(Linger::new(MIB, bound)).serve() {
        for (ending, chunk) in ENDINGS {
            let head = head(&unsigned(), "moduslink", ending);
            let mut stream = TcpStream::connect(address).await.unwrap();
            let started = Instant::now();
            stream.write_all(&head).await.unwrap();
            stream.read_u8().await.unwrap();
            assert!(started.elapsed() < bound, "{framework} answers after {:?}", started.elapsed());

            let (answer, took) = drip(address, &head, chunk).await;
            assert_status(&answer, 401, framework);
            assert!((bound..bound * 8).contains(&took), "{framework}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_sender_that_falls_silent_is_cut_off_at_the_bound_in_time() {
    let bound = Duration::from_millis(300);
    for (framework, address) in Setup::new(Linger::new(MIB, bound)).serve() {
        for (ending, _) in ENDINGS {
            let started = Instant::now();
            let head = head(&unsigned(), "moduslink", ending);
            let answer = answer_to(address, &head, Duration::ZERO).await;
            assert_status(&answer, 401, framework);
            assert!((bound..bound * 20).contains(&started.elapsed()), "{framework}: {:?}", started.elapsed());
        }
    }
}

#[tokio::test]
async fn a_sender_that_never_stops_is_cut_off_at_the_bound_in_bytes() {
    // What the sockets of both sides hold is written, too.
    let (bound, sockets) = (4 * MIB, 28 * MIB);
    for (framework, address) in Setup::new(Linger::new(bound, Duration::from_secs(60))).serve() {
        let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
        for (ending, piece) in
            [("Content-Length: 1000000000000000", &chunk[..]), ("Transfer-Encoding: chunked", &chunk[..])]
        {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&head(&unsigned(), "moduslink", ending)).await.unwrap();
            let mut written = 0;
            while stream.write_all(piece).await.is_ok() {
                written += piece.len();
                assert!(written < bound + sockets, "{framework}, {ending}: {written} bytes");
            }
            assert!(written >= bound, "{framework}, {ending}: {written} bytes");
        }
    }
}

#[tokio::test]
async fn switched_off_it_closes_the_connection_with_the_answer() {
    for (framework, address) in Setup::new(Linger::OFF).serve() {
        for (ending, chunk) in ENDINGS {
            let (answer, took) = drip(address, &head(&unsigned(), "moduslink", ending), chunk).await;
            assert_status(&answer, 401, framework);
            assert!(took < Duration::from_secs(5), "{framework}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_sender_that_waits_to_continue_is_told_nothing_and_its_connection_closes_at_once() {
    let [(_, address), _] = Setup::new(AMPLE).serve();
    let started = Instant::now();
    let head = head(&unsigned(), "moduslink", "Content-Length: 5\r\nExpect: 100-continue");
    let answer = answer_to(address, &head, Duration::ZERO).await;
    assert_status(&answer, 401, "axum");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

type Inner = std::future::Ready<Result<Response<Full<Bytes>>, Infallible>>;

/// The layer alone, with a body that is always ready and counts how often it is read.
fn refuse(delivery: &Delivery, linger: Linger, body: &Endless) -> Poll<u16> {
    let guard = VerifyWebhookLayer::new(verifier(senders::moduslink(), "secret")).linger(linger);
    let inner = |_: Request<VerifiedBody>| -> Inner { unreachable!("it is refused") };
    let response = guard.layer(service_fn(inner)).call(request(delivery).map(|_| body.clone()));
    let response = pin!(response).poll(&mut Context::from_waker(Waker::noop()));
    response.map(|response| response.unwrap().status().as_u16())
}

#[tokio::test]
async fn the_answer_comes_first_and_the_body_is_then_read_to_the_bound() {
    let body = Endless::default();
    assert_eq!(refuse(&unsigned(), Linger::new(1000, Duration::MAX), &body), Poll::Ready(401));
    assert_eq!(body.reads(), 2, "what may have come with the head");
    sleep(Duration::from_millis(100)).await;
    assert_eq!(body.reads(), 1002);
}

#[tokio::test]
async fn nothing_is_read_where_it_is_off_or_the_sender_waits_to_continue() {
    let body = Endless::default();
    assert_eq!(refuse(&unsigned(), Linger::OFF, &body), Poll::Ready(401));
    let waiting = unsigned().with_header("expect", "100-continue");
    assert_eq!(refuse(&waiting, AMPLE, &body), Poll::Ready(401));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(body.reads(), 0);
}

#[test]
fn without_a_runtime_the_body_is_dropped_with_the_answer() {
    let body = Endless::default();
    assert_eq!(refuse(&unsigned(), AMPLE, &body), Poll::Ready(401));
    assert!(body.reads() <= 2);
}

#[actix_web::test]
async fn in_actix_a_rejection_that_does_not_linger_ends_with_its_head() {
    for (linger, size) in [(Linger::OFF, BodySize::Sized(0)), (AMPLE, BodySize::Stream)] {
        let guard = VerifyWebhook::new(verifier(senders::moduslink(), "secret")).linger(linger);
        let resource = web::resource("/").wrap(guard).route(web::post().to(async || "accepted"));
        let app = init_service(App::new().service(resource)).await;
        let request = TestRequest::post().set_payload("body").to_request();
        let response = call_service(&app, request).await;
        assert_eq!(
            (response.status().as_u16(), response.response().body().size()),
            (401, size),
            "{linger:?}"
        );
    }
}
