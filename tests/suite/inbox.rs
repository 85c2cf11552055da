//! Deliveries accepted into an inbox, in both frameworks: what is stored, what is answered, and what a failing database, a full
//! inbox and a client that goes away leave behind.

use std::{
    future::Future,
    net::SocketAddr,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use actix_web::{App, HttpServer, web};
use axum::{Router, routing::post};
use bytes::Bytes;
use countersign::{Identity, senders};
use countersign_actix::VerifyWebhook;
use countersign_inbox::{
    Accepted::{Duplicate, New},
    Filter, Inbox, SqliteInbox, State,
    sqlx::postgres::PgPoolOptions,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::yield_now,
    time::{sleep, timeout},
};

use crate::{
    harness::{
        Delivery, good, guard, hmac_delivery,
        inbox::{Answer, Refusal, all, in_each, receivers, sqlite},
        now, verifier,
    },
    log::captured,
    sockets::{head, serve_actix, serve_axum},
};

fn moduslink(body: impl Into<Vec<u8>>) -> Delivery {
    hmac_delivery(senders::moduslink(), "secret", body)
}

fn identity(delivery: &Delivery) -> Identity {
    let verifier = verifier(senders::moduslink(), "secret");
    let mut verification = verifier.begin_buffered(&delivery.head(), now()).unwrap();
    verification.update(Bytes::from(delivery.body())).unwrap();
    verification.finish().unwrap().identify().identity
}

/// Asks again and again until it is so, for a minute at most.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let asked = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(60), asked).await.unwrap_or_else(|_| panic!("not so in time: {what}"));
}

#[test]
fn a_new_delivery_is_answered_200_and_stored_exactly() {
    in_each(
        |builder| builder.instance("desk-1"),
        async |receiver, inbox| {
            let before = now() - Duration::from_millis(1);
            let body = b"{\"a\":1}\r\n\0\xff ".repeat(1000);
            let delivery = moduslink(body.clone());
            receiver.assert(&delivery.in_chunks_of(777), Answer::accepted(New)).await;
            let stored = all(&inbox).await;
            assert_eq!(stored.len(), 1);
            let entry = &stored[0].entry;
            assert_eq!(stored[0].body, body, "{}", receiver.framework);
            assert_eq!((entry.sender.as_str(), entry.key_id.as_str()), ("moduslink", "k"));
            assert_eq!((entry.received_by.as_str(), entry.state), ("desk-1", State::Pending));
            assert_eq!(entry.identity, identity(&delivery));
            assert!((before..=now()).contains(&entry.received_at), "{:?}", entry.received_at);
            assert_eq!(stored[0].unsigned_headers.iter().count(), 0);
        },
    );
}

#[test]
fn a_copy_is_answered_200_without_a_second_row() {
    in_each(
        |builder| builder,
        async |receiver, inbox| {
            receiver.assert(&moduslink("1"), Answer::accepted(New)).await;
            for _ in 0..3 {
                receiver.assert(&moduslink("1"), Answer::accepted(Duplicate)).await;
            }
            receiver.assert(&moduslink("2"), Answer::accepted(New)).await;
            let bodies: Vec<_> = all(&inbox).await.into_iter().map(|stored| stored.body).collect();
            assert_eq!(bodies, ["1", "2"], "{}", receiver.framework);
        },
    );
}

#[test]
fn unsigned_and_forged_deliveries_are_401_and_not_stored() {
    in_each(
        |builder| builder,
        async |receiver, inbox| {
            let forged = hmac_delivery(senders::moduslink(), "guessed", "1");
            for delivery in [Delivery::new([], "1"), forged, moduslink("1").with_body("2")] {
                receiver.assert(&delivery, Answer::without_result(401)).await;
            }
            assert_eq!(all(&inbox).await.len(), 0, "{}", receiver.framework);
        },
    );
}

#[test]
fn chosen_headers_are_kept_as_they_were_sent() {
    in_each(
        |builder| builder.keep_headers(["X-Request-Id", "x-raw"]),
        async |receiver, inbox| {
            let delivery = moduslink("1")
                .with_header("x-request-id", "first")
                .with_header("authorization", "Bearer secret")
                .with_header("X-Request-Id", "second")
                .with_header("x-raw", b"\xff\"".as_slice());
            receiver.assert(&delivery, Answer::accepted(New)).await;
            let stored = all(&inbox).await;
            let kept: Vec<_> = stored[0].unsigned_headers.iter().collect();
            let sent: [(&str, &[u8]); 3] =
                [("x-request-id", b"first"), ("x-request-id", b"second"), ("x-raw", b"\xff\"")];
            assert_eq!(kept, sent, "{}", receiver.framework);
        },
    );
}

#[test]
fn a_full_inbox_answers_503_until_there_is_room() {
    in_each(
        |builder| builder.backlog_limit(1),
        async |receiver, inbox| {
            receiver.assert(&moduslink("1"), Answer::accepted(New)).await;
            receiver.assert(&moduslink("2"), Answer::refused(Refusal::Full(1))).await;
            assert_eq!(all(&inbox).await.len(), 1);
            assert_eq!(inbox.discard(&Filter::all()).await.unwrap(), 1);
            until("room", || async { receiver.receive(&moduslink("2")).await == Answer::accepted(New) })
                .await;
            assert_eq!(all(&inbox).await.len(), 2, "{}", receiver.framework);
        },
    );
}

#[tokio::test]
async fn retry_after_is_a_setting_in_whole_seconds() {
    let (inbox, _folder) = sqlite(|builder| builder).await;
    inbox.pool().close().await;
    let time = Some(Duration::from_millis(1500));
    for receiver in receivers([inbox.clone(), inbox], true, time).await {
        let answer = receiver.receive(&good()).await;
        assert_eq!(
            (answer.status, answer.retry_after.as_deref()),
            (503, Some("2")),
            "{}",
            receiver.framework
        );
    }
}

#[tokio::test]
async fn a_closed_database_answers_503_and_stores_nothing_until_the_retry() {
    let ((first, folder), (second, other)) =
        (sqlite(|builder| builder).await, sqlite(|builder| builder).await);
    first.pool().close().await;
    second.pool().close().await;
    for receiver in receivers([first, second], true, None).await {
        receiver.assert(&good(), Answer::refused(Refusal::Store)).await;
    }
    let open = async |folder: &TempDir| {
        SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap().build().await.unwrap()
    };
    let inboxes = [open(&folder).await, open(&other).await];
    for (receiver, inbox) in receivers(inboxes.clone(), true, None).await.into_iter().zip(inboxes) {
        assert_eq!(all(&inbox).await.len(), 0, "{}", receiver.framework);
        receiver.assert(&good(), Answer::accepted(New)).await;
        receiver.assert(&good(), Answer::accepted(Duplicate)).await;
        assert_eq!(all(&inbox).await.len(), 1, "{}", receiver.framework);
    }
}

#[tokio::test]
async fn a_stopped_postgres_answers_503_and_the_retry_is_stored_once_it_is_back() {
    let Some(mut server) = test_servers::Postgres::start() else { return };
    let pool =
        PgPoolOptions::new().acquire_timeout(Duration::from_secs(3)).connect(&server.url()).await.unwrap();
    let inbox = Inbox::builder(pool).store_timeout(Duration::from_secs(30)).build().await.unwrap();
    for (receiver, body) in receivers([inbox.clone(), inbox.clone()], true, None).await.iter().zip(["1", "2"])
    {
        let (before, during) = (moduslink(format!("{body} before")), moduslink(format!("{body} during")));
        receiver.assert(&before, Answer::accepted(New)).await;
        server.stop();
        receiver.assert(&during, Answer::refused(Refusal::Store)).await;
        receiver.assert(&before, Answer::refused(Refusal::Store)).await;
        server.restart();
        until("stored", || async { receiver.receive(&during).await == Answer::accepted(New) }).await;
        receiver.assert(&during, Answer::accepted(Duplicate)).await;
        receiver.assert(&before, Answer::accepted(Duplicate)).await;
    }
    let bodies: Vec<_> = all(&inbox).await.into_iter().map(|stored| stored.body).collect();
    assert_eq!(bodies, ["1 before", "1 during", "2 before", "2 during"]);
}

#[test]
fn without_a_guard_it_answers_500_stores_nothing_and_logs_the_mistake() {
    let log = captured(|| {
        crate::harness::block_on(async {
            let (inbox, _folder) = sqlite(|builder| builder).await;
            for receiver in receivers([inbox.clone(), inbox.clone()], false, None).await {
                receiver.assert(&good(), Answer::without_result(500)).await;
            }
            assert_eq!(all(&inbox).await.len(), 0);
        });
    });
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 2, "{log}");
    assert!(errors[0].contains("`accept_into` got a request that no `VerifyWebhookLayer` verified"), "{log}");
    assert!(errors[1].contains("`accept_into` got a request that no `VerifyWebhook` verified"), "{log}");
}

#[test]
fn a_request_dropped_at_any_await_is_stored_whole_or_not_and_its_retry_is_answered_200() {
    in_each(
        |builder| builder,
        async |receiver, inbox| {
            let mut results = Vec::new();
            for polls in 0_usize.. {
                let delivery = moduslink(polls.to_string());
                let ended = {
                    let mut request = pin!(receiver.receive(&delivery));
                    let mut cx = Context::from_waker(Waker::noop());
                    let mut ended = false;
                    for _ in 0..polls {
                        ended = ended || request.as_mut().poll(&mut cx).is_ready();
                        if ended {
                            break;
                        }
                        // What the inbox's task and its database do goes on in between.
                        yield_now().await;
                        sleep(Duration::from_millis(1)).await;
                    }
                    ended
                };
                let retry = receiver.receive(&delivery).await;
                assert_eq!(retry.status, 200, "{} after {polls} polls", receiver.framework);
                results.push(retry.result.unwrap().unwrap());
                let stored = all(&inbox).await;
                assert_eq!(stored.len(), polls + 1, "{} after {polls} polls", receiver.framework);
                assert_eq!(stored[polls].body, delivery.body());
                if ended {
                    break;
                }
            }
            assert!(results.contains(&New) && results.contains(&Duplicate), "{results:?}");
        },
    );
}

/// A server in each framework, with the inbox of each.
async fn servers() -> [(&'static str, SocketAddr, SqliteInbox, TempDir); 2] {
    let ((first, folder), (second, other)) =
        (sqlite(|builder| builder).await, sqlite(|builder| builder).await);
    let inbox = first.clone();
    let axum = serve_axum(move || {
        let accept =
            post(countersign_tower::accept_into(inbox)).layer::<_, std::convert::Infallible>(guard());
        Router::new().route("/webhooks/moduslink", accept)
    });
    let inbox = second.clone();
    let actix = serve_actix(move |listener| {
        let guard = VerifyWebhook::new(verifier(senders::moduslink(), "secret"));
        let accept =
            move || web::post().to(countersign_actix::accept_into(inbox.clone())).wrap(guard.clone());
        let app = move || App::new().route("/webhooks/moduslink", accept());
        HttpServer::new(app).workers(2).listen(listener).unwrap().run()
    });
    [("axum", axum, first, folder), ("actix", actix, second, other)]
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_socket_a_client_that_goes_away_midway_leaves_nothing_half_stored() {
    for (framework, address, inbox, _folder) in servers().await {
        let body = good().body();
        let head = head(&good(), "moduslink", &format!("Content-Length: {}", body.len()));
        let whole = [head.as_slice(), &body].concat();
        for sent in (1..=whole.len()).step_by(7).chain([whole.len()]) {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&whole[..sent]).await.unwrap();
            drop(stream);
            let stored = all(&inbox).await;
            assert!(sent == whole.len() || stored.is_empty(), "{framework} after {sent} bytes");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&whole).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(status, *b"HTTP/1.1 200", "{framework}");
        let stored = all(&inbox).await;
        assert_eq!((stored.len(), &stored[0].body[..]), (1, &body[..]), "{framework}");
    }
}
