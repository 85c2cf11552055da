use std::{sync::Arc, time::Duration};

use axum::body::Body;
use countersign::{Rotating, VerifiedDelivery};
use countersign_inbox::{Answers, Delivery, Failure as Failed, SqliteInbox};
use countersign_tower::VerifiedBody;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{
    config::{InboxConfig, Timeouts},
    forward::{Outgoing, unguarded},
    routes::Routes,
    upstream::Upstream,
};
use crate::failure::Failure;

/// Stores verified deliveries and answers them. A worker forwards them later.
#[derive(Clone, Debug)]
pub(crate) struct Accept {
    inbox: SqliteInbox,
    answers: Answers,
}

/// The name under which the inbox keeps a delivery's [`Head`]. It is the only one that it keeps.
const HEAD: &str = "countersign-head";

/// What the inbox keeps beside the body: the request as its service is to get it.
#[derive(Serialize, Deserialize)]
struct Head {
    route: String,
    method: String,
    target: String,
    /// A character for each byte of a value (ISO 8859-1), so that all bytes are kept.
    headers: Vec<(String, String)>,
}

impl Accept {
    pub(crate) async fn open(config: &InboxConfig) -> Result<Self, Failure> {
        let failed = |error| Failure::new(format_args!("inbox.file: {}: {error}", config.file.display()));
        let builder = SqliteInbox::open(&config.file).await.map_err(failed)?;
        let inbox = builder.keep_headers([HEAD]).build().await.map_err(failed)?;
        Ok(Self { inbox, answers: Answers::default() })
    }

    pub(crate) async fn accept(
        &self,
        route: &str,
        request: Request<VerifiedBody>,
        trust_forwarded: bool,
    ) -> Response<Body> {
        let Some(delivery) = request.extensions().get::<VerifiedDelivery>().cloned() else {
            return unguarded();
        };
        let Some(Outgoing { method, target, headers, .. }) = Outgoing::new(request, trust_forwarded) else {
            return unguarded();
        };
        let text = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
        let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let head =
            Head { route: route.to_owned(), method: method.to_string(), target: target.to_string(), headers };
        let Ok(head) = serde_json::to_string(&head) else { return unguarded() };
        let accepted = self.inbox.accept(&delivery, &[(HEAD, head.as_str())]).await;
        let answer = self.answers.answer(&accepted);
        let mut response = Response::new(Body::empty());
        // The answers are valid statuses; an invalid one would still have to refuse.
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        if let Some(seconds) = answer.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Ok(accepted) = accepted {
            response.extensions_mut().insert(accepted);
        }
        response
    }

    /// Forwards what is stored until `shutdown` is ready.
    pub(crate) async fn work(
        self,
        config: &InboxConfig,
        timeouts: &Timeouts,
        upstream: Upstream,
        routes: Rotating<Routes>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let worker = Arc::new(Worker { upstream, routes });
        let work = self.inbox.work(move |delivery| {
            let worker = Arc::clone(&worker);
            async move { worker.forward(delivery).await }
        });
        let work = work
            .concurrency(config.concurrency)
            .max_attempts(config.max_attempts)
            .attempt_timeout(timeouts.response.saturating_add(timeouts.connect).saturating_mul(2))
            .grace(timeouts.shutdown);
        work.run_until(shutdown).await.map_err(|error| Failure::new(format_args!("inbox: {error}")))
    }
}

struct Worker {
    upstream: Upstream,
    routes: Rotating<Routes>,
}

impl Head {
    fn headers(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let bytes: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
            headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(bytes.ok()?).ok()?);
        }
        Some(headers)
    }
}

impl Worker {
    async fn forward(&self, delivery: Delivery<countersign_inbox::sqlx::Sqlite>) -> Result<(), Failed> {
        let stored = delivery.unsigned_headers().get(HEAD).next().unwrap_or_default();
        let head: Head = serde_json::from_slice(stored).map_err(|error| {
            Failed::permanent(format!("another program stored it: it has no head to forward: {error}"))
        })?;
        let parts = (head.method.parse().ok(), head.target.parse().ok(), head.headers());
        let (Some(method), Some(target), Some(headers)) = parts else {
            return Err(Failed::permanent("its head is not one of a request"));
        };
        let routes = self.routes.current();
        let Some(address) = routes.get(&head.route).map(|route| route.upstream.clone()) else {
            return Err(Failed::retry(format!("the configuration has no route {} any more", head.route)));
        };
        let answer = self.upstream.send(&address, method, target, headers, delivery.body().clone()).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let failure = format!("{address} answered {}", answer.status());
        let pause =
            answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Err(match pause {
            Some(seconds) => Failed::retry_after(Duration::from_secs(seconds).min(LONGEST_PAUSE), failure),
            None => Failed::retry(failure),
        })
    }
}

/// Limit on a service's `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
