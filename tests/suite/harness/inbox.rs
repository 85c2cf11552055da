//! Receivers that accept deliveries into an inbox, alike in both frameworks.

use std::{future::Future, pin::Pin, rc::Rc, time::Duration};

use actix_web::{App, dev::Service, middleware::Condition, web};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::{Verifier, senders};
use countersign_actix::VerifyWebhook;
use countersign_inbox::{
    AcceptError, Accepted, Dialect, Filter, Inbox, InboxBuilder, SqliteInbox, Stored, sqlx::Sqlite,
};
use countersign_tower::VerifyWebhookLayer;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tower::ServiceExt;

use super::{Delivery, actix_request, block_on, request, verifier};

type Receiving = Pin<Box<dyn Future<Output = Answer>>>;

/// What a caller sees, and what the response's extensions hold for the operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) result: Option<Result<Accepted, Refusal>>,
}

/// An `AcceptError`, comparable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    Full(u32),
    Store,
}

impl Answer {
    pub(crate) fn accepted(accepted: Accepted) -> Self {
        Self { status: 200, retry_after: None, body: Bytes::new(), result: Some(Ok(accepted)) }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        let retry_after = Some("30".to_owned());
        Self { status: 503, retry_after, body: Bytes::new(), result: Some(Err(refusal)) }
    }

    /// An answer that is not the inbox's.
    pub(crate) fn without_result(status: u16) -> Self {
        Self { status, retry_after: None, body: Bytes::new(), result: None }
    }
}

fn result(accepted: Option<Accepted>, error: Option<AcceptError>) -> Option<Result<Accepted, Refusal>> {
    let refusal = error.map(|error| match error {
        AcceptError::Full { limit } => Refusal::Full(limit),
        _ => Refusal::Store,
    });
    assert!(accepted.is_none() || refusal.is_none(), "{accepted:?} and {refusal:?}");
    accepted.map(Ok).or(refusal.map(Err))
}

/// A route in one framework that accepts deliveries into an inbox.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) framework: &'static str,
    receive: Rc<dyn Fn(&Delivery) -> Receiving>,
}

impl Receiver {
    pub(crate) async fn receive(&self, delivery: &Delivery) -> Answer {
        (self.receive)(delivery).await
    }

    /// Receives a delivery and asserts the whole answer.
    pub(crate) async fn assert(&self, delivery: &Delivery, answer: Answer) {
        assert_eq!(self.receive(delivery).await, answer, "{}", self.framework);
    }
}

/// A verifier that accepts what [`good`](super::good) makes.
fn moduslinks() -> Verifier {
    verifier(senders::moduslink(), "secret")
}

/// A receiver in each framework, unguarded by mistake if so said. A setting replaces the default `Retry-After`.
pub(crate) async fn receivers<DB: Dialect>(
    inboxes: [Inbox<DB>; 2],
    guarded: bool,
    retry_after: Option<Duration>,
) -> [Receiver; 2] {
    let [first, second] = inboxes;
    let (mut accept, mut actix_accept) =
        (countersign_tower::accept_into(first), countersign_actix::accept_into(second));
    if let Some(time) = retry_after {
        (accept, actix_accept) = (accept.retry_after(time), actix_accept.retry_after(time));
    }
    let mut app = Router::new().route("/", post(accept));
    if guarded {
        app = app.layer(VerifyWebhookLayer::new(moduslinks()));
    }
    let in_axum = move |delivery: &Delivery| -> Receiving {
        let response = app.clone().oneshot(request(delivery).map(Body::new));
        Box::pin(async move {
            let (head, body) = response.await.unwrap().into_parts();
            Answer {
                status: head.status.as_u16(),
                retry_after: head.headers.get("retry-after").map(|value| value.to_str().unwrap().into()),
                body: body.collect().await.unwrap().to_bytes(),
                result: result(head.extensions.get().copied(), head.extensions.get().cloned()),
            }
        })
    };

    let guard = Condition::new(guarded, VerifyWebhook::new(moduslinks()));
    let app = App::new().service(web::resource("/").route(web::post().to(actix_accept)).wrap(guard));
    let app = Rc::new(actix_web::test::init_service(app).await);
    let in_actix = move |delivery: &Delivery| -> Receiving {
        let response = app.call(actix_request(delivery));
        Box::pin(async move {
            let response = response.await.unwrap();
            let result = {
                let extensions = response.response().extensions();
                result(extensions.get().copied(), extensions.get().cloned())
            };
            Answer {
                status: response.status().as_u16(),
                retry_after: response
                    .headers()
                    .get("retry-after")
                    .map(|value| value.to_str().unwrap().into()),
                body: actix_web::test::read_body(response).await,
                result,
            }
        })
    };
    [
        Receiver { framework: "axum", receive: Rc::new(in_axum) },
        Receiver { framework: "actix", receive: Rc::new(in_actix) },
    ]
}

/// A new SQLite inbox, and the folder that it is in.
pub(crate) async fn sqlite(
    set: impl FnOnce(InboxBuilder<Sqlite>) -> InboxBuilder<Sqlite>,
) -> (SqliteInbox, TempDir) {
    let folder = TempDir::new().unwrap();
    let inbox = set(SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap()).build().await.unwrap();
    (inbox, folder)
}

/// Runs the test in each framework, with a guard, and with an inbox of its own.
pub(crate) fn in_each<F: Future<Output = ()>>(
    set: fn(InboxBuilder<Sqlite>) -> InboxBuilder<Sqlite>,
    test: impl Fn(Receiver, SqliteInbox) -> F,
) {
    block_on(async {
        let ((first, _first), (second, _second)) = (sqlite(set).await, sqlite(set).await);
        let [in_axum, in_actix] = receivers([first.clone(), second.clone()], true, None).await;
        test(in_axum, first).await;
        test(in_actix, second).await;
    });
}

/// Everything that an inbox holds.
pub(crate) async fn all<DB: Dialect>(inbox: &Inbox<DB>) -> Vec<Stored> {
    let mut all = Vec::new();
    for entry in inbox.list(&Filter::all(), 0, 1000).await.unwrap() {
        all.push(inbox.show(entry.id).await.unwrap().unwrap());
    }
    all
}
