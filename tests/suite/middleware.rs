//! The actix-web middleware: what reaches the wrapped service, and what the caller sees of a rejection.

use std::{future::Future, io::Write};

use actix_web::{
    App, FromRequest, HttpMessage, HttpResponse, ResponseError,
    dev::{self, Service, ServiceRequest, ServiceResponse},
    http::{ConnectionType, Version},
    middleware::{DefaultHeaders, Next, from_fn},
    web,
};
use bytes::Bytes;
use countersign::{Rejection, RejectionKind, senders};
use countersign_actix::{OnceClaim, Verified, VerifyWebhook};
use countersign_once::Outcome;
use flate2::{Compression, write::GzEncoder};

use crate::harness::{Delivery, actix_request, block_on, good, hmac_delivery, verifier};

fn guard() -> VerifyWebhook {
    VerifyWebhook::new(verifier(senders::moduslink(), "secret"))
}

/// An app's answer to a delivery: the status, the body, and the kind of rejection, if any.
macro_rules! answer {
    ($app:expr, $delivery:expr) => {
        block_on(async {
            let app = actix_web::test::init_service($app).await;
            let response: ServiceResponse<_> = app.call(actix_request(&$delivery)).await.unwrap();
            let kind = response.response().extensions().get::<Rejection>().map(Rejection::kind);
            let status = response.status().as_u16();
            (status, actix_web::test::read_body(response).await, kind)
        })
    };
}

async fn echo(_: Verified, body: Bytes) -> Bytes {
    body
}

fn at_root(handler: actix_web::Route) -> actix_web::Resource {
    web::resource("/").route(handler)
}

#[test]
fn the_guard_wraps_an_app_a_scope_and_a_resource() {
    let rejected = (401, Bytes::new(), Some(RejectionKind::SignatureMismatch));
    let verified = (200, Bytes::from(good().body()), None);
    let other = good().with_body("another");
    let app = || App::new().wrap(guard()).service(at_root(web::post().to(echo)));
    let scope = || App::new().service(web::scope("").wrap(guard()).route("/", web::post().to(echo)));
    let resource = || App::new().service(web::resource("/").wrap(guard()).route(web::post().to(echo)));
    assert_eq!((answer!(app(), good()), answer!(app(), other)), (verified.clone(), rejected.clone()));
    assert_eq!((answer!(scope(), good()), answer!(scope(), other)), (verified.clone(), rejected.clone()));
    assert_eq!((answer!(resource(), good()), answer!(resource(), other)), (verified, rejected));
}

#[test]
fn every_extractor_works_as_it_does_without_the_guard() {
    let app = |route| App::new().wrap(guard()).service(at_root(route));
    let json = hmac_delivery(senders::moduslink(), "secret", r#"{"n":5}"#)
        .with_header("content-type", "application/json");
    let by_json = web::post().to(|body: web::Json<serde_json::Value>| async move { body["n"].to_string() });
    assert_eq!(answer!(app(by_json), json), (200, Bytes::from_static(b"5"), None));
    let form = hmac_delivery(senders::moduslink(), "secret", "n=5")
        .with_header("content-type", "application/x-www-form-urlencoded");
    let by_form = web::post().to(|body: web::Form<Vec<(String, String)>>| async move { body[0].1.clone() });
    assert_eq!(answer!(app(by_form), form), (200, Bytes::from_static(b"5"), None));
    let by_string = web::post().to(|body: String| async move { body });
    assert_eq!(answer!(app(by_string), good().in_chunks_of(3)), (200, Bytes::from(good().body()), None));
    let by_stream = web::post().to(|payload: web::Payload| async move { payload.to_bytes().await.unwrap() });
    assert_eq!(answer!(app(by_stream), good().in_chunks_of(3)), (200, Bytes::from(good().body()), None));
}

#[test]
fn a_single_chunk_payload_is_passed_on_without_a_copy() {
    let sent = good();
    let place = sent.chunks[0].as_ptr() as usize;
    let handler = web::post().to(move |payload: web::Payload| async move {
        let mut payload = payload.into_inner();
        let chunk =
            std::future::poll_fn(|cx| futures_core::Stream::poll_next(std::pin::Pin::new(&mut payload), cx));
        (chunk.await.unwrap().unwrap().as_ptr() as usize == place).to_string()
    });
    let app = App::new().wrap(guard()).service(at_root(handler));
    assert_eq!(answer!(app, sent).1, "true");
}

async fn echo_verified(verified: Verified) -> Bytes {
    verified.body().clone()
}

#[test]
fn a_verified_body_is_whole_uncopied_and_limited_only_by_the_verifier() {
    let place = |body: &[u8]| (body.as_ptr() as usize).to_string();
    let handler = web::post().to(move |verified: Verified| async move { place(verified.body()) });
    let sent = good();
    let app = App::new().wrap(guard()).service(at_root(handler));
    assert_eq!(answer!(app, sent), (200, Bytes::from(place(&sent.chunks[0])), None));

    let app = || App::new().wrap(guard()).service(at_root(web::post().to(echo_verified)));
    assert_eq!(answer!(app(), good().in_chunks_of(3)), (200, Bytes::from(good().body()), None));
    // Over the 256 KiB limit of `web::Bytes`.
    let large = hmac_delivery(senders::moduslink(), "secret", vec![b'x'; 1 << 20]);
    assert_eq!(answer!(app(), large), (200, Bytes::from(large.body()), None));
    let empty = hmac_delivery(senders::moduslink(), "secret", "");
    assert_eq!(answer!(app(), empty), (200, Bytes::new(), None));
}

#[test]
fn a_verified_delivery_keeps_the_verified_body_when_the_payload_is_replaced() {
    let replaced = |mut request: ServiceRequest, next: Next<_>| {
        request.set_payload(dev::Payload::from(Bytes::from_static(b"another")));
        next.call(request)
    };
    let app =
        App::new().wrap(from_fn(replaced)).wrap(guard()).service(at_root(web::post().to(echo_verified)));
    assert_eq!(answer!(app, good()), (200, Bytes::from(good().body()), None));
    let twice = web::post().to(|_: Bytes, verified: Verified| async move { verified.body().clone() });
    let app = App::new().wrap(guard()).service(at_root(twice));
    assert_eq!(answer!(app, good()), (200, Bytes::from(good().body()), None));
}

#[test]
fn an_unguarded_handler_that_takes_a_verified_delivery_is_500() {
    let unguarded = App::new().service(at_root(web::post().to(echo_verified)));
    assert_eq!(answer!(unguarded, good()).0, 500);
}

#[test]
fn wire_bytes_are_verified_and_extractors_get_the_decompressed_body() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"a body of some length").unwrap();
    let wire = encoder.finish().unwrap();
    let sent = hmac_delivery(senders::moduslink(), "secret", wire).with_header("content-encoding", "gzip");
    let app = || App::new().wrap(guard()).service(at_root(web::post().to(echo)));
    assert_eq!(answer!(app(), sent), (200, Bytes::from_static(b"a body of some length"), None));
    let decompressed = hmac_delivery(senders::moduslink(), "secret", "a body of some length");
    let signed_elsewhere = sent.with_signature(decompressed.signature());
    assert_eq!(answer!(app(), signed_elsewhere).2, Some(RejectionKind::SignatureMismatch));
}

#[test]
fn a_rejection_is_a_response_that_outer_middleware_sees() {
    let app = App::new()
        .service(at_root(web::post().to(echo)))
        .wrap(guard())
        .wrap(DefaultHeaders::new().add(("access-control-allow-origin", "*")));
    block_on(async {
        let app = actix_web::test::init_service(app).await;
        let response = app.call(actix_request(&good().with_body("x"))).await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers().get("access-control-allow-origin").unwrap(), "*");
        assert_eq!(response.headers().get("www-authenticate").unwrap(), "Webhook-Signature");
        assert_eq!(response.response().head().connection_type(), ConnectionType::Close);
    });
}

#[test]
fn only_http_1_rejections_say_connection_close() {
    for (version, kind) in
        [(Version::HTTP_11, ConnectionType::Close), (Version::HTTP_2, ConnectionType::KeepAlive)]
    {
        block_on(async {
            let app = App::new().wrap(guard()).service(at_root(web::post().to(echo)));
            let app = actix_web::test::init_service(app).await;
            let mut request = actix_request(&Delivery::new([], ""));
            request.head_mut().version = version;
            let response = app.call(request).await.unwrap();
            assert_eq!(response.response().head().connection_type(), kind, "{version:?}");
        });
    }
}

#[test]
fn scoped_app_data_and_inner_middleware_work_under_the_guard() {
    let inner =
        from_fn(|request: actix_web::dev::ServiceRequest, next: actix_web::middleware::Next<_>| async move {
            request.extensions_mut().insert(5_u32);
            next.call(request).await
        });
    let handler = web::post().to(|data: web::Data<u8>, number: web::ReqData<u32>, _: Verified| async move {
        format!("{} {}", **data, *number)
    });
    let app = App::new()
        .wrap(guard())
        .service(web::scope("").app_data(web::Data::new(7_u8)).wrap(inner).service(at_root(handler)));
    assert_eq!(answer!(app, good()), (200, Bytes::from_static(b"7 5"), None));
}

#[test]
fn an_extractor_without_the_middleware_is_500_and_the_log_names_the_mistake() {
    let log = crate::log::captured(|| {
        let app = App::new().service(at_root(web::post().to(echo)));
        assert_eq!(answer!(app, good()), (500, Bytes::from_static(b"internal server error\n"), None));
    });
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains("no `VerifyWebhook` guards its route"), "{log}");
}

#[test]
fn the_error_of_an_extractor_without_the_middleware_is_a_500_that_names_the_middleware() {
    let request = actix_web::test::TestRequest::default().to_http_request();
    let missing = block_on(Verified::extract(&request)).unwrap_err();
    assert_eq!(ResponseError::status_code(&missing), 500);
    assert_eq!(missing.to_string(), "no `VerifyWebhook` guards this route as its handler needs it");
}

#[test]
fn a_handler_without_its_claim_is_500_or_503_if_the_store_is_away() {
    let request = actix_web::test::TestRequest::default().to_http_request();
    let answer = || {
        block_on(async {
            let missing = OnceClaim::extract(&request).await.unwrap_err();
            assert_eq!(missing.to_string(), "the handler runs without a claim on the delivery");
            let response = missing.error_response();
            assert_eq!(missing.status_code(), response.status());
            (response.status().as_u16(), actix_web::body::to_bytes(response.into_body()).await.unwrap())
        })
    };
    assert_eq!(answer(), (500, Bytes::from_static(b"internal server error\n")));
    request.extensions_mut().insert(Outcome::Unguarded);
    assert_eq!(answer(), (503, Bytes::from_static(b"service unavailable\n")));
}

#[test]
fn every_method_is_verified_like_post() {
    for method in ["GET", "PUT", "OPTIONS", "HEAD", "DELETE"] {
        block_on(async {
            let app = App::new().wrap(guard()).default_service(web::to(HttpResponse::Ok));
            let app = actix_web::test::init_service(app).await;
            let mut request = actix_request(&Delivery::new([], ""));
            request.head_mut().method = method.parse().unwrap();
            assert_eq!(app.call(request).await.unwrap().status(), 401, "{method}");
        });
    }
}

#[test]
fn an_always_ready_payload_does_not_starve_other_tasks() {
    struct Endless;

    impl futures_core::Stream for Endless {
        type Item = Result<Bytes, actix_web::error::PayloadError>;

        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(Some(Ok(Bytes::from_static(b"x"))))
        }
    }

    block_on(async {
        let app = App::new().wrap(guard()).default_service(web::to(HttpResponse::Ok));
        let app = actix_web::test::init_service(app).await;
        let payload: actix_http::BoxedPayloadStream = Box::pin(Endless);
        let request = actix_request(&good()).replace_payload(actix_http::Payload::Stream { payload }).0;
        let mut response = std::pin::pin!(app.call(request));
        let pending =
            std::future::poll_fn(|cx| std::task::Poll::Ready(response.as_mut().poll(cx).is_pending()));
        assert!(pending.await);
        // It woke itself, and ends at the body limit.
        assert_eq!(response.await.unwrap().status(), 413);
    });
}

#[test]
fn the_hook_runs_for_every_rejection_and_nothing_else() {
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hook = {
        let heard = std::sync::Arc::clone(&heard);
        move |rejection: &Rejection| heard.lock().unwrap().push(rejection.kind())
    };
    for delivery in [good().with_signature("short"), good(), good().with_body("another")] {
        let guard = guard().on_reject(hook.clone());
        let app = App::new().wrap(guard).service(at_root(web::post().to(HttpResponse::Ok)));
        answer!(app, delivery);
    }
    assert_eq!(*heard.lock().unwrap(), [RejectionKind::SignatureLength, RejectionKind::SignatureMismatch]);
}

#[test]
fn a_payload_that_breaks_off_is_400() {
    use actix_http::{BoxedPayloadStream, Payload, error::PayloadError};

    struct Broken(bool);

    impl futures_core::Stream for Broken {
        type Item = Result<Bytes, PayloadError>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            let first = !std::mem::replace(&mut self.0, true);
            let item =
                if first { Ok(Bytes::from_static(b"a body ")) } else { Err(PayloadError::Incomplete(None)) };
            std::task::Poll::Ready(Some(item))
        }
    }

    block_on(async {
        let app = App::new().wrap(guard()).service(at_root(web::post().to(echo)));
        let app = actix_web::test::init_service(app).await;
        let payload: BoxedPayloadStream = Box::pin(Broken(false));
        let request = actix_request(&good()).replace_payload(Payload::Stream { payload }).0;
        let response = app.call(request).await.unwrap();
        assert_eq!(response.status(), 400);
        let rejection = response.response().extensions().get::<Rejection>().map(Rejection::kind);
        assert_eq!(rejection, Some(RejectionKind::BodyUnreadable));
    });
}
