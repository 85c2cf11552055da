//! The fields of a request's span, as `tower_http::trace` and `tracing-actix-web` make it.

use actix_web::{
    App,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    web,
};
use axum::{Router, body::Body, routing::post};
use countersign::{Key, Secret, Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_tower::VerifyWebhookLayer;
use tower::ServiceExt;
use tower_http::trace::TraceLayer;
use tracing::{Span, field::Empty};
use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder, TracingLogger, root_span};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::{
    harness::{Delivery, actix_request, block_on, hmac_delivery, now, request},
    log::captured_with,
};

fn verifier() -> Verifier {
    Verifier::builder(senders::moduslink())
        .key(Key::secret("old", Secret::new("old")).expires_at(now()))
        .secret("new", Secret::new("new"))
        .build()
        .unwrap()
}

struct RootSpan;

impl RootSpanBuilder for RootSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        root_span!(
            request,
            webhook.verdict = Empty,
            webhook.sender = Empty,
            webhook.key = Empty,
            webhook.reason = Empty,
            webhook.body.size = Empty
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, actix_web::Error>) {
        DefaultRootSpanBuilder::on_request_end(span, outcome);
    }
}

fn in_tower(delivery: &Delivery) {
    let span = |_: &http::Request<Body>| {
        tracing::info_span!(
            "request",
            webhook.verdict = Empty,
            webhook.sender = Empty,
            webhook.key = Empty,
            webhook.reason = Empty,
            webhook.body.size = Empty
        )
    };
    let app = Router::new()
        .route("/", post(async || ()))
        .layer(VerifyWebhookLayer::new(verifier()))
        .layer(TraceLayer::new_for_http().make_span_with(span));
    block_on(app.oneshot(request(delivery).map(Body::new))).unwrap();
}

fn in_actix(delivery: &Delivery) {
    let route = web::resource("/").route(web::post().to(async || "")).wrap(VerifyWebhook::new(verifier()));
    let app = App::new().service(route).wrap(TracingLogger::<RootSpan>::new());
    block_on(async {
        let app = actix_web::test::init_service(app).await;
        let response = app.call(actix_request(delivery)).await.unwrap();
        actix_web::test::read_body(response).await;
    });
}

/// The fields of ours that the request's span has once it closes.
fn fields(serve: fn(&Delivery), delivery: &Delivery) -> Vec<String> {
    let log = captured_with(FmtSpan::CLOSE, || serve(delivery));
    let closed = log.lines().find(|line| line.ends_with(": close") && line.contains("webhook.")).unwrap();
    let fields = closed.split_once('}').unwrap().0.split([' ', '{']);
    let mut fields: Vec<_> =
        fields.filter(|field| field.starts_with("webhook.")).map(str::to_owned).collect();
    fields.sort();
    fields
}

#[test]
fn the_requests_span_says_what_became_of_the_delivery_in_both_frameworks() {
    let signed = |secret| hmac_delivery(senders::moduslink(), secret, "an order");
    let evil = hmac_delivery(senders::moduslink(), "forged", "evil").with_header("x-sender", "evil");
    let rejected = "webhook.verdict=\"rejected\"";
    let sender = "webhook.sender=\"moduslink\"";
    for (delivery, wanted) in [
        (
            signed("new"),
            vec!["webhook.body.size=8", "webhook.key=\"new\"", sender, "webhook.verdict=\"verified\""],
        ),
        (
            signed("old"),
            vec![
                "webhook.body.size=8",
                "webhook.key=\"old\"",
                "webhook.reason=\"key_expired\"",
                sender,
                rejected,
            ],
        ),
        (evil, vec!["webhook.body.size=4", "webhook.reason=\"signature_mismatch\"", sender, rejected]),
        (Delivery::new([], "evil"), vec!["webhook.reason=\"signature_missing\"", sender, rejected]),
    ] {
        assert_eq!(fields(in_tower, &delivery), wanted);
        assert_eq!(fields(in_actix, &delivery), wanted);
    }
}

#[test]
fn a_span_that_declares_no_field_gets_none() {
    let log = captured_with(FmtSpan::CLOSE, || {
        let delivery = hmac_delivery(senders::moduslink(), "new", "an order");
        let span = tracing::info_span!("request", webhook.sender = Empty);
        let _ = span.in_scope(|| verifier().verify(&delivery.headers, b"an order", now())).unwrap();
    });
    assert!(log.contains("request{webhook.sender=\"moduslink\"}: suite::span: close"), "{log}");
}
