use std::{rc::Rc, sync::Arc};

use actix_web::{
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, forward_ready},
};

use crate::{future::ResponseFuture, guard::Guard};

#[doc(hidden)]
#[derive(Debug)]
pub struct VerifyWebhookMiddleware<S> {
    service: Rc<S>,
    guard: Arc<Guard>,
}

impl<S> VerifyWebhookMiddleware<S> {
    pub(crate) fn new(service: Rc<S>, guard: Arc<Guard>) -> Self {
        Self { service, guard }
    }
}

impl<S, B> Service<ServiceRequest> for VerifyWebhookMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        ResponseFuture::new(Rc::clone(&self.service), Arc::clone(&self.guard), request)
    }
}
