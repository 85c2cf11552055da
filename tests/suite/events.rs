//! `Event<T>` in both frameworks: the same requests reach the handler, and the others get the same answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::{App, dev::Service, web};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::{Scheme, senders};
use countersign_actix::VerifyWebhook;
use countersign_events::{
    Event, EventError, FromDelivery, SignedBody, VerifiedDeliveryExt, ewarehousing, extend, json, moduslink,
};
use countersign_tower::VerifyWebhookLayer;
use http_body_util::BodyExt;
use serde::Deserialize;
use tower::ServiceExt;

use crate::{
    harness::{Delivery, actix_request, block_on, hmac_delivery, request, verifier},
    log::captured,
};

/// What a caller sees, and the reason that the response's extensions have for the operator.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    body: String,
    reason: Option<EventError>,
}

impl Answer {
    fn new(status: u16, body: &[u8], reason: Option<EventError>) -> Self {
        Self { status, body: String::from_utf8(body.to_vec()).unwrap(), reason }
    }

    fn ok(body: &str) -> Self {
        Self::new(200, body.as_bytes(), None)
    }
}

fn in_axum(app: Router, delivery: &Delivery) -> Answer {
    block_on(async {
        let response = app.oneshot(request(delivery).map(Body::new)).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer::new(head.status.as_u16(), &body, head.extensions.get().cloned())
    })
}

/// The answer of an actix app.
macro_rules! in_actix {
    ($app:expr, $delivery:expr) => {
        block_on(async {
            let app = actix_web::test::init_service($app).await;
            let response = app.call(actix_request($delivery)).await.unwrap();
            let status = response.status().as_u16();
            let reason = response.response().extensions().get().cloned();
            Answer::new(status, &actix_web::test::read_body(response).await, reason)
        })
    };
}

/// The sender, the key and the event's `Debug`.
async fn shown<T: std::fmt::Debug>(event: Event<T>) -> String {
    let (sender, key) = (event.delivery().scheme().name(), event.delivery().key());
    format!("{sender} {key} {:?}", *event)
}

/// The answer of a handler that takes this event, behind a guard of this scheme, if any: the same in both frameworks.
#[track_caller]
fn answer<T>(scheme: Option<Scheme>, delivery: &Delivery) -> Answer
where
    T: FromDelivery + std::fmt::Debug + Send + 'static,
{
    let app = Router::new().route("/", post(shown::<T>));
    let route = || web::resource("/").route(web::post().to(shown::<T>));
    let (by_axum, by_actix) = match scheme.map(|scheme| verifier(scheme, "correct-horse-battery")) {
        Some(verifier) => (
            in_axum(app.layer(VerifyWebhookLayer::new(verifier.clone())), delivery),
            in_actix!(App::new().service(route().wrap(VerifyWebhook::new(verifier))), delivery),
        ),
        None => (in_axum(app, delivery), in_actix!(App::new().service(route()), delivery)),
    };
    assert_eq!(by_axum, by_actix);
    by_axum
}

fn moduslinks(body: impl Into<Vec<u8>>) -> Delivery {
    hmac_delivery(senders::moduslink(), "correct-horse-battery", body)
}

const GOOD: &str = r#"{"eventType":"Orders.Created","eventObjectId":"7"}"#;

#[test]
fn a_verified_delivery_reaches_the_handler_as_an_event_with_its_proof() {
    let delivery = moduslinks(GOOD);
    let verifier = verifier(senders::moduslink(), "correct-horse-battery");
    let mut verification = verifier.begin_buffered(&delivery.head(), crate::harness::now()).unwrap();
    verification.update(Bytes::from_static(GOOD.as_bytes())).unwrap();
    let event: moduslink::Event = verification.finish().unwrap().event().unwrap();
    let seen = Answer::ok(&format!("moduslink k {event:?}"));
    assert_eq!(answer::<moduslink::Event>(Some(senders::moduslink()), &delivery), seen);
    assert_eq!(answer::<moduslink::Event>(Some(senders::moduslink()), &delivery.in_chunks_of(3)), seen);
}

#[test]
fn a_forged_delivery_is_401_and_never_parsed() {
    static PARSED: AtomicUsize = AtomicUsize::new(0);

    #[derive(Debug)]
    struct Counted;

    impl FromDelivery for Counted {
        fn from_delivery(_: SignedBody<'_>) -> Result<Self, EventError> {
            PARSED.fetch_add(1, Ordering::Relaxed);
            Ok(Self)
        }
    }

    for body in ["{}", "{", GOOD] {
        let forged = moduslinks("signed").with_body(body);
        assert_eq!(answer::<Counted>(Some(senders::moduslink()), &forged), Answer::new(401, b"", None));
    }
    assert_eq!(PARSED.load(Ordering::Relaxed), 0);
    let verified = answer::<Counted>(Some(senders::moduslink()), &moduslinks("{"));
    assert_eq!(verified, Answer::ok("moduslink k Counted"));
    assert_eq!(PARSED.load(Ordering::Relaxed), 2);
}

#[test]
fn a_body_that_is_not_the_event_is_422_and_the_reason_is_the_operators_alone() {
    let json =
        |path: &str, reason: &str| EventError::Json { path: path.to_owned(), reason: reason.to_owned() };
    for (body, reason) in [
        (b"".as_slice(), json(".", "EOF while parsing a value at line 1 column 0")),
        (b"\xff", EventError::NotUtf8 { valid: 0 }),
        (br#"{"eventType":"a"}"#, json(".", "missing field `eventObjectId` at line 1 column 17")),
        (
            br#"{"eventType":"a","eventObjectId":"1","links":[{"href":"/"},{"href":{"name":"Erika"}}]}"#,
            json("links[1].href", "invalid type: map, expected a string at line 1 column 67"),
        ),
    ] {
        let log = captured(|| {
            let refused = answer::<moduslink::Event>(Some(senders::moduslink()), &moduslinks(body));
            assert_eq!(refused, Answer::new(422, b"unprocessable content\n", Some(reason.clone())));
        });
        let warning = format!(
            " WARN countersign_events::extract: a verified delivery is not the event: {reason} sender=\"moduslink\" \
             key=\"k\" event=\"countersign_events::moduslink::Event\""
        );
        let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings, [warning.as_str(), warning.as_str()]);
        assert!(!log.contains("Erika"), "{log}");
    }
}

#[test]
fn another_senders_delivery_is_500_and_an_error_in_the_log() {
    let log = captured(|| {
        let refused = answer::<extend::Event>(Some(senders::moduslink()), &moduslinks(GOOD));
        let reason = EventError::OtherScheme { verified: "moduslink".to_owned(), accepted: &["extend"] };
        assert_eq!(refused, Answer::new(500, b"internal server error\n", Some(reason)));
    });
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    let error = "ERROR countersign_events::extract: a handler takes another sender's event: the delivery was verified under the \
                 scheme moduslink, but the event is one of extend; it answers 500 until its route is corrected \
                 sender=\"moduslink\" key=\"k\" event=\"countersign_events::extend::Event\"";
    assert_eq!(errors, [error, error]);
}

#[test]
fn an_unguarded_route_is_500_and_logged_as_it_is_for_verified() {
    let delivery = moduslinks(GOOD);
    let mut unguarded = Answer::ok("");
    let of_events = captured(|| unguarded = answer::<moduslink::Event>(None, &delivery));
    let mut of_verified = (Answer::ok(""), Answer::ok(""));
    let of_proofs = captured(|| {
        let by_axum = post(|_: countersign_tower::Verified| async {});
        let by_actix = web::post().to(|_: countersign_actix::Verified| async { "" });
        of_verified = (
            in_axum(Router::new().route("/", by_axum), &delivery),
            in_actix!(App::new().route("/", by_actix), &delivery),
        );
    });
    assert_eq!(unguarded, Answer::new(500, b"internal server error\n", None));
    assert_eq!(of_verified, (Answer::new(500, b"internal server error\n", None), unguarded));
    let errors =
        |log: &str| log.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(errors(&of_events).len(), 2);
    assert_eq!(errors(&of_events), errors(&of_proofs));
}

#[test]
fn an_event_has_no_limit_but_the_verifiers_and_stands_beside_what_reads_the_body() {
    async fn length(event: Event<moduslink::Event>) -> String {
        event.event_object_id.len().to_string()
    }

    async fn same(event: Event<moduslink::Event>, body: Bytes) -> String {
        let (event, delivery) = event.into_parts();
        (delivery.body() == &body && event.event_object_id == "7").to_string()
    }

    // Past the 2 MB of axum's extractors and the 256 KiB of actix's.
    let id = "x".repeat(3 << 20);
    let delivery = moduslinks(format!(r#"{{"eventType":"a","eventObjectId":"{id}"}}"#));
    let verifier = countersign::Verifier::builder(senders::moduslink())
        .secret("k", countersign::Secret::new("correct-horse-battery"))
        .body_limit(4 << 20)
        .build()
        .unwrap();
    let by_axum = Router::new().route("/", post(length)).layer(VerifyWebhookLayer::new(verifier.clone()));
    let by_actix = web::resource("/").wrap(VerifyWebhook::new(verifier)).route(web::post().to(length));
    assert_eq!(in_axum(by_axum, &delivery), Answer::ok("3145728"));
    assert_eq!(in_actix!(App::new().service(by_actix), &delivery), Answer::ok("3145728"));
    let guard = || crate::harness::verifier(senders::moduslink(), "correct-horse-battery");
    let by_axum = Router::new().route("/", post(same)).layer(VerifyWebhookLayer::new(guard()));
    let by_actix = web::resource("/").wrap(VerifyWebhook::new(guard())).route(web::post().to(same));
    assert_eq!(in_axum(by_axum, &moduslinks(GOOD)), Answer::ok("true"));
    assert_eq!(in_actix!(App::new().service(by_actix), &moduslinks(GOOD)), Answer::ok("true"));
}

#[test]
fn a_type_of_ones_own_is_an_event_of_the_schemes_that_it_names() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "shown")]
    struct Push {
        after: String,
    }

    impl FromDelivery for Push {
        fn from_delivery(body: SignedBody<'_>) -> Result<Self, EventError> {
            json(body, &["github", "gitlab"])
        }
    }

    let of = |scheme: Scheme, body: &str| {
        answer::<Push>(Some(scheme.clone()), &hmac_delivery(scheme, "correct-horse-battery", body))
    };
    let seen = of(senders::github(), r#"{"after":"c0ffee"}"#);
    assert_eq!(seen, Answer::ok(r#"github k Push { after: "c0ffee" }"#));
    assert_eq!(of(senders::github(), "{}").status, 422);
    assert_eq!(of(senders::shopify(), r#"{"after":"c0ffee"}"#).status, 500);
}

#[test]
fn at_an_address_of_several_senders_the_handler_chooses_by_the_scheme() {
    async fn choose(verified: countersign_tower::Verified) -> Result<String, axum::http::StatusCode> {
        let chosen = match verified.scheme().name() {
            "extend" => verified.event::<extend::Event>().map(|event| event.id),
            _ => verified.event::<ewarehousing::Event>().map(|event| event.group.to_string()),
        };
        chosen.map_err(|error| axum::http::StatusCode::from_u16(error.status()).unwrap())
    }
    let verifiers =
        [senders::extend(), senders::ewarehousing()].map(|scheme| verifier(scheme, "correct-horse-battery"));
    let guard = VerifyWebhookLayer::new(countersign::Verifier::any_of(verifiers).unwrap());
    let app = Router::new().route("/", post(choose)).layer(guard);
    let extends =
        hmac_delivery(senders::extend(), "correct-horse-battery", r#"{"Id":"5","Notifications":[]}"#);
    let ewarehousings = hmac_delivery(
        senders::ewarehousing(),
        "correct-horse-battery",
        r#"{"group":"stock","action":"updated"}"#,
    );
    let broken =
        hmac_delivery(senders::ewarehousing(), "correct-horse-battery", r#"{"Id":"5","Notifications":[]}"#);
    assert_eq!(in_axum(app.clone(), &extends), Answer::ok("5"));
    assert_eq!(in_axum(app.clone(), &ewarehousings), Answer::ok("stock"));
    assert_eq!(in_axum(app, &broken).status, 422);
}
