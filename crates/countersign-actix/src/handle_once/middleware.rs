use std::{future::Future, pin::Pin, rc::Rc, sync::Arc};

use actix_web::{
    HttpMessage, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, forward_ready},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use countersign::VerifiedDelivery;
use countersign_once::{Answer, Decision, Once, Outcome};

use super::{claim::OnceClaim, settings::Settings};

#[doc(hidden)]
#[derive(Debug)]
pub struct HandleOnceMiddleware<S> {
    service: Rc<S>,
    settings: Arc<Settings>,
}

impl<S> HandleOnceMiddleware<S> {
    pub(crate) fn new(service: Rc<S>, settings: Arc<Settings>) -> Self {
        Self { service, settings }
    }
}

impl<S, B> Service<ServiceRequest> for HandleOnceMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Box::pin(handle_once(Rc::clone(&self.service), request, Arc::clone(&self.settings)))
    }
}

async fn handle_once<S, B>(
    service: Rc<S>,
    request: ServiceRequest,
    settings: Arc<Settings>,
) -> Result<ServiceResponse<EitherBody<B>>, S::Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
{
    let Some(decision) = begin(&request, &settings.once) else {
        let response = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
        return Ok(request.into_response(response).map_into_right_body());
    };
    let running = match settings.answers.run_or_answer(decision.await) {
        Ok(running) => running,
        Err(answer) => return Ok(request.into_response(response(answer)).map_into_right_body()),
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
        response.response_mut().extensions_mut().insert(outcome);
    }
    answer.map(ServiceResponse::map_into_left_body)
}

/// Claims the request's delivery. `None` if the middleware cannot work where it is.
fn begin<'a>(
    request: &ServiceRequest,
    once: &'a Once,
) -> Option<impl Future<Output = Decision> + Send + use<'a>> {
    let extensions = request.extensions();
    let delivery = extensions.get::<VerifiedDelivery>();
    let is_inside_another = extensions.get::<Outcome>().is_some();
    #[cfg(feature = "tracing")]
    if delivery.is_none() {
        tracing::error!(
            path = request.path(),
            "`HandleOnce` got a request that no `VerifyWebhook` verified: wrap the guard around it; until then the route \
             answers 500"
        );
    } else if is_inside_another {
        tracing::error!(
            path = request.path(),
            "`HandleOnce` is inside another one, which holds the claim: remove one; until then the route answers 500"
        );
    }
    let delivery = delivery.filter(|_| !is_inside_another)?;
    Some(once.begin_from(delivery.scheme(), delivery.identify().identity))
}

fn response(answer: Answer) -> HttpResponse {
    // The settings allow valid statuses only; an invalid one would still have to refuse.
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = HttpResponse::new(status);
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(answer.outcome);
    response
}
