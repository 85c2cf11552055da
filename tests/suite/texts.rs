//! What an operator reads: the messages of rejections, and debug output.

use std::{
    convert::Infallible,
    future::{pending, ready},
    time::Duration,
};

use actix_web::dev::{ServiceRequest, fn_service};
use countersign::{
    BodyBudget, Choice, Headers, Key, Receiving, RejectionKind, Rotating, Scheme, Secret, Verifier,
    VerifierBuilder, VerifierSource, senders,
};
use countersign_once::{MemoryStore, Once};
use countersign_tenants::NameFrom;
use countersign_tower::VerifiedBody;
use tower::{Layer, Service, service_fn};

use crate::harness::{
    block_on, good, guard, hmac_delivery, inbox::sqlite, now, request, tenants::Shops, verifier,
};

const SECRET: &str = "correct-horse-battery-staple";

/// The message of the rejection of this delivery, whose body is `body`.
fn message(verifier: &VerifierBuilder, headers: &impl Headers, kind: RejectionKind) -> String {
    let verifier = verifier.clone().build().unwrap();
    let rejection = verifier.verify(headers, b"body", now()).unwrap_err();
    assert_eq!(rejection.kind(), kind);
    rejection.to_string()
}

#[test]
fn a_rejection_says_what_the_sender_signs_and_which_keys_were_tried() {
    let builder = |scheme| Verifier::builder(scheme).secret("k1", Secret::new(SECRET));
    let (mismatch, token) = (RejectionKind::SignatureMismatch, Scheme::unsigned_token("acme", "X-Token"));
    let sent = hmac_delivery(senders::extend(), "another", "body");
    assert_eq!(
        message(
            &builder(senders::extend()).secret("k2", Secret::new("another-horse-battery-staple")),
            &sent.headers,
            mismatch
        ),
        format!("extend (ms-signature): {mismatch}; keys: k1, k2")
    );
    let sent = hmac_delivery(senders::slack(), "another", "body");
    assert_eq!(
        message(&builder(senders::slack()), &sent.headers, mismatch),
        format!(
            r#"slack (x-slack-signature): {mismatch}; signed: "v0:", the timestamp, ":", the body; keys: k1"#
        )
    );
    assert_eq!(
        message(&builder(token), &[("x-token", "another")], mismatch),
        "acme (x-token): the token is none of ours; keys: k1"
    );
    let sent = hmac_delivery(senders::extend(), SECRET, "body");
    let expired = Key::secret("k1", Secret::new(SECRET)).expires_at(now() - Duration::from_secs(1));
    assert_eq!(
        message(
            &Verifier::builder(senders::extend()).key(expired),
            &sent.headers,
            RejectionKind::NoActiveKey
        ),
        format!("extend (ms-signature): {}; keys: k1", RejectionKind::NoActiveKey)
    );
    assert_eq!(
        message(&builder(senders::extend()).body_limit(3), &sent.headers, RejectionKind::BodyTooLarge),
        format!("extend (ms-signature): {} of 3 bytes", RejectionKind::BodyTooLarge)
    );
}

#[test]
fn debug_output_names_what_it_is() {
    let extend = verifier(senders::extend(), "secret");
    let shown = format!("{extend:?}");
    let sent = hmac_delivery(senders::extend(), "secret", "body");
    let verification = extend.begin(&sent.headers, now()).unwrap();
    assert_eq!(format!("{verification:?}"), r#"Verification { sender: "extend", received: 0, .. }"#);
    assert_eq!(format!("{:?}", Rotating::new(7)), "Rotating(7)");
    assert_eq!(format!("{:?}", Receiving::new(now(), None, |_| pending())), "Receiving(head)");
    assert_eq!(format!("{:?}", VerifierSource::from(extend.clone())), shown);
    assert_eq!(format!("{:?}", Choice::Now(Ok(extend.clone()))), format!("Now(Ok({shown}))"));
    assert!(format!("{:?}", BodyBudget::new(7)).ends_with("bytes: 7, left: 7 }"));
    let soon = Key::secret("k", Secret::new(SECRET)).expires_at(now() + Duration::from_secs(1));
    let soon = Verifier::builder(senders::extend()).key(soon).build().unwrap();
    let expiring = soon.expiring(now(), Duration::from_secs(60)).next().unwrap();
    let verified = extend.verify(&sent.headers, b"body", now()).unwrap();
    let fingerprint = verified.fingerprint();
    assert_eq!(format!("{fingerprint:?}"), format!("Fingerprint({fingerprint})"));
    assert!(
        format!("{verified:?}").contains(&format!("fingerprint: Fingerprint({fingerprint})")),
        "{verified:?}"
    );
    let mut verification = extend.begin_buffered(&sent.headers, now()).unwrap();
    verification.update(b"body".as_slice().into()).unwrap();
    assert!(format!("{verification:?}").contains("4 bytes"), "{verification:?}");
    let delivery = verification.finish().unwrap();
    assert!(format!("{delivery:?}").contains(&format!("{fingerprint}")), "{delivery:?}");
    assert_eq!(format!("{:?}", countersign::Part::Body), "the body");
    let rejection = extend.verify(&sent.headers, b"", now()).unwrap_err();
    assert_eq!(rejection.scheme().map(Scheme::name), Some("extend"));
    let start = format!("Rejection {{ kind: SignatureMismatch, reason: {:?}", rejection.to_string());
    assert!(format!("{rejection:?}").starts_with(&start), "{rejection:?}");
    assert!(format!("{expiring:?}").starts_with(r#"Expiring { sender: "extend", key: "#), "{expiring:?}");

    let tenants = Shops::of(&["a"]).named(NameFrom::host());
    assert!(format!("{tenants:?}").starts_with("TenantsBuilder { name: NameFrom(host), "), "{tenants:?}");
    let tenants = tenants.build().unwrap();
    let start = "Tenants { name: NameFrom(host), cache: Cache { tenants: 0, .. }, settings: ";
    assert!(format!("{tenants:?}").starts_with(start), "{tenants:?}");
}

#[test]
fn the_adapters_debug_output_names_what_it_is() {
    let once = || Once::new(MemoryStore::default()).unwrap();
    let verifier = verifier(senders::extend(), "secret");
    let (inbox, _folder) = block_on(sqlite(|builder| builder));
    let (layer, actix) = (guard(), countersign_actix::VerifyWebhook::new(verifier));
    let handle_once = countersign_tower::HandleOnceLayer::new(once());
    for (shown, start) in [
        (format!("{layer:?}"), "VerifyWebhookLayer { verifier: "),
        (format!("{actix:?}"), "VerifyWebhook { verifier: "),
        (format!("{handle_once:?}"), "HandleOnceLayer { once: "),
        (format!("{:?}", countersign_actix::HandleOnce::new(once())), "HandleOnce { once: "),
        (format!("{:?}", countersign_tower::accept_into(inbox.clone())), "AcceptInto { inbox: "),
        (format!("{:?}", countersign_actix::accept_into(inbox)), "AcceptInto { inbox: "),
    ] {
        assert!(shown.starts_with(start), "{shown}");
    }

    let answer =
        |_: http::Request<VerifiedBody>| ready(Ok::<_, Infallible>(http::Response::new(String::new())));
    let answer_any =
        |_: http::Request<String>| ready(Ok::<_, Infallible>(http::Response::new(String::new())));
    let answering = layer.layer(service_fn(answer)).call(request(&good()));
    assert_eq!(format!("{answering:?}"), "ResponseFuture(receiving)");
    let answering = handle_once.layer(service_fn(answer_any)).call(http::Request::new(String::new()));
    assert_eq!(format!("{answering:?}"), "HandleOnceFuture(..)");
    let handler = fn_service(|request: ServiceRequest| {
        ready(Ok::<_, actix_web::Error>(request.into_response(actix_web::HttpResponse::Ok())))
    });
    let answering = block_on(async {
        let app = actix_web::dev::Transform::new_transform(&actix, handler).await.unwrap();
        let request = actix_web::test::TestRequest::default().to_srv_request();
        format!("{:?}", actix_web::dev::Service::call(&app, request))
    });
    assert_eq!(answering, "ResponseFuture(receiving)");
}
