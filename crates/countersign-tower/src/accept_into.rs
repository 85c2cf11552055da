use std::{fmt, future::Future, pin::Pin, time::Duration};

use axum::{
    extract::Request,
    handler::Handler,
    response::{IntoResponse, Response},
};
use countersign::VerifiedDelivery;
use countersign_inbox::{Answers, Dialect, Inbox};
use http::{StatusCode, header};

use crate::headers::RequestHead;

/// An axum handler that stores each delivery in `inbox` and answers at once. A worker of the inbox handles it later.
///
/// Put it inside the [`VerifyWebhookLayer`](crate::VerifyWebhookLayer): only a verified delivery can be stored.
///
/// ```
/// # async fn app(verifier: countersign::Verifier) -> Result<axum::Router, Box<dyn std::error::Error>> {
/// use axum::{Router, routing::post};
/// use countersign_inbox::{Delivery, SqliteInbox};
/// use countersign_tower::{VerifyWebhookLayer, accept_into};
///
/// let inbox = SqliteInbox::open("inbox.db").await?.build().await?;
/// let work = inbox.work(async |delivery: Delivery<_>| {
///     println!("{} bytes from {}", delivery.body().len(), delivery.sender());
///     Ok(())
/// });
/// tokio::spawn(work.run_until(std::future::pending()));
///
/// let guard = VerifyWebhookLayer::new(verifier);
/// let app = Router::new().route("/webhooks/moduslink", post(accept_into(inbox)).layer(guard));
/// # Ok(app)
/// # }
/// ```
///
/// # Answers
///
/// | what happened | answer |
/// |---|---|
/// | stored, committed to disk | 200 |
/// | stored before: a copy or a retry | 200 |
/// | not stored: the database is away or slow, or the backlog is at its limit | 503 with [`Retry-After`](AcceptInto::retry_after) |
/// | no guard ran | 500, and an error in the log (feature `tracing`) |
///
/// No answer has a body, so a caller cannot tell a new delivery from a copy. The response's extensions tell the operator: they hold
/// the [`Accepted`](countersign_inbox::Accepted) or the [`AcceptError`](countersign_inbox::AcceptError).
///
/// The handler answers after at most the inbox's [`store_timeout`](countersign_inbox::InboxBuilder::store_timeout).
///
/// # Headers
///
/// The inbox keeps those that [`keep_headers`](countersign_inbox::InboxBuilder::keep_headers) names, as they were when the request
/// reached the handler. No signature covers them.
///
/// # Cancellation
///
/// If the request is dropped, by a timeout or because the client goes away, its delivery is stored or not, never in part. The
/// sender's retry is then a duplicate or new.
pub fn accept_into<DB: Dialect>(inbox: Inbox<DB>) -> AcceptInto<DB> {
    AcceptInto { inbox, answers: Answers::default() }
}

/// The handler that [`accept_into`] makes.
#[must_use = "a handler accepts nothing until it has a route"]
pub struct AcceptInto<DB: Dialect> {
    inbox: Inbox<DB>,
    answers: Answers,
}

impl<DB: Dialect> AcceptInto<DB> {
    /// `Retry-After` of a 503; 30 seconds by default, rounded up to whole seconds.
    pub fn retry_after(self, time: Duration) -> Self {
        Self { answers: self.answers.retry_after(time), ..self }
    }

    async fn accept(self, request: Request) -> Response {
        // The guard has read the body, and the delivery has it.
        let (head, _) = request.into_parts();
        let Some(delivery) = head.extensions.get::<VerifiedDelivery>() else {
            #[cfg(feature = "tracing")]
            tracing::error!(
                path = head.uri.path(),
                "`accept_into` got a request that no `VerifyWebhookLayer` verified: add the guard outside it; until then \
                 the route answers 500"
            );
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let accepted = self.inbox.accept(delivery, &RequestHead { head: &head, names: &[] }).await;
        let answer = self.answers.answer(&accepted);
        // The answers are valid statuses; an invalid one would still have to refuse.
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let mut response = status.into_response();
        if let Some(seconds) = answer.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        match accepted {
            Ok(accepted) => {
                response.extensions_mut().insert(accepted);
            }
            Err(error) => {
                response.extensions_mut().insert(error);
            }
        }
        response
    }
}

impl<DB: Dialect, S> Handler<(), S> for AcceptInto<DB> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, _: S) -> Self::Future {
        Box::pin(self.accept(request))
    }
}

impl<DB: Dialect> Clone for AcceptInto<DB> {
    fn clone(&self) -> Self {
        Self { inbox: self.inbox.clone(), answers: self.answers }
    }
}

impl<DB: Dialect> fmt::Debug for AcceptInto<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptInto").field("inbox", &self.inbox).field("answers", &self.answers).finish()
    }
}
