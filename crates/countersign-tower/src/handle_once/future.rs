use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use countersign::VerifiedDelivery;
use countersign_once::{Answer, Decision, Once, Outcome};
use http::{Request, Response, StatusCode, header};
use tower_service::Service;

use super::{claim::OnceClaim, settings::Settings};

/// The response: the inner service's answer to a new delivery, or an answer in its place.
#[must_use = "futures do nothing unless polled"]
pub struct HandleOnceFuture<R, E>(Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>);

impl<R, E> HandleOnceFuture<R, E> {
    pub(crate) fn new<S, B>(service: S, request: Request<B>, settings: Arc<Settings>) -> Self
    where
        S: Service<Request<B>, Response = Response<R>, Error = E, Future: Send> + Send + 'static,
        B: Send + 'static,
        R: Default + Send + 'static,
        E: Send,
    {
        Self(Box::pin(handle_once(service, request, settings)))
    }
}

impl<R, E> Future for HandleOnceFuture<R, E> {
    type Output = Result<Response<R>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R, E> fmt::Debug for HandleOnceFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandleOnceFuture").finish_non_exhaustive()
    }
}

async fn handle_once<S, B, R>(
    mut service: S,
    mut request: Request<B>,
    settings: Arc<Settings>,
) -> Result<Response<R>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    let Some(decision) = begin(&request, &settings.once) else { return Ok(misplaced()) };
    let running = match settings.answers.run_or_answer(decision.await) {
        Ok(running) => running,
        Err(answer) => return Ok(response(answer)),
    };
    let outcome = running.outcome();
    request.extensions_mut().insert(outcome);
    if let Some(claim) = OnceClaim::of(&running) {
        request.extensions_mut().insert(claim);
    }
    // A panic or a drop in here drops `running`, which releases the claim.
    let mut answer = service.call(request).await;
    let is_handled = answer.as_ref().is_ok_and(|response| (settings.is_success)(response.status()));
    // The handler did run: its answer stands whatever the store says, and `Once` has logged that.
    let _ = if is_handled { running.complete().await } else { running.release().await };
    if let Ok(response) = &mut answer {
        response.extensions_mut().insert(outcome);
    }
    answer
}

/// Claims the request's delivery. `None` if the layer cannot work where it is.
fn begin<'a, B>(
    request: &Request<B>,
    once: &'a Once,
) -> Option<impl Future<Output = Decision> + Send + use<'a, B>> {
    let delivery = request.extensions().get::<VerifiedDelivery>();
    let is_inside_another = request.extensions().get::<Outcome>().is_some();
    #[cfg(feature = "tracing")]
    if delivery.is_none() {
        tracing::error!(
            path = request.uri().path(),
            "`HandleOnceLayer` got a request that no `VerifyWebhookLayer` verified: add the guard outside it; until then \
             the route answers 500"
        );
    } else if is_inside_another {
        tracing::error!(
            path = request.uri().path(),
            "`HandleOnceLayer` is inside another one, which holds the claim: remove one; until then the route answers 500"
        );
    }
    let delivery = delivery.filter(|_| !is_inside_another)?;
    Some(once.begin_from(delivery.scheme(), delivery.identify().identity))
}

fn misplaced<R: Default>() -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn response<R: Default>(answer: Answer) -> Response<R> {
    let mut response = Response::new(R::default());
    // The settings allow valid statuses only; an invalid one would still have to refuse.
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response.extensions_mut().insert(answer.outcome);
    response
}
