use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::StatusCode,
};
use countersign_once::{BuildError, Once};

use super::{middleware::HandleOnceMiddleware, settings::Settings};

/// Handles each delivery once: its handler runs for new deliveries only.
///
/// Put it inside [`VerifyWebhook`](crate::VerifyWebhook): only a verified delivery can be claimed, so nobody else can make the
/// receiver ignore one. In actix-web, what is wrapped last runs first.
///
/// ```
/// # fn service(verifier: countersign::Verifier) -> Result<actix_web::Resource<
/// #     impl actix_web::dev::ServiceFactory<actix_web::dev::ServiceRequest, Config = (),
/// #         Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
/// #         Error = actix_web::Error, InitError = ()> + 'static>, countersign_once::BuildError> {
/// use actix_web::{HttpResponse, web};
/// use countersign_actix::{HandleOnce, Verified, VerifyWebhook};
/// use countersign_once::{MemoryStore, Once};
///
/// /// Runs once for each delivery.
/// async fn order(verified: Verified) -> HttpResponse {
///     println!("a new delivery from {}", verified.scheme().name());
///     HttpResponse::Ok().finish()
/// }
///
/// // Once for the process, not once for each worker: the workers share its memory.
/// let once = HandleOnce::new(Once::new(MemoryStore::default())?);
/// let resource = web::resource("/webhooks/moduslink")
///     .route(web::post().to(order))
///     .wrap(once)
///     .wrap(VerifyWebhook::new(verifier));
/// # Ok(resource)
/// # }
/// ```
///
/// # Answers
///
/// The middleware asks the delivery for its [identity](countersign::VerifiedDelivery::identify) and [`Once`] for a decision:
///
/// | decision | answer |
/// |---|---|
/// | new | the handler's. A success completes the delivery; any other status, an error, a panic or a cancelled request releases it |
/// | handled before | [`duplicate_status`](Self::duplicate_status), 200 by default |
/// | another attempt is in the handler | [`in_progress_status`](Self::in_progress_status), 503 by default, with `Retry-After` |
/// | the store is away | 503 with `Retry-After`, or the handler's if `Once` is set to go on |
/// | no guard ran, or the middleware is there twice | 500, and an error in the log (feature `tracing`) |
///
/// The middleware's own answers have no body. The caller learns nothing but the status; the response's extensions hold the
/// [`Outcome`](countersign_once::Outcome).
///
/// # When a delivery is complete
///
/// Once the handler has returned its response. The response's body does not count: do the work before you answer, not while
/// the body streams. The middleware completes or releases the delivery before it passes the response on, which takes as long as
/// the store does, at most [`store_timeout`](countersign_once::OnceBuilder::store_timeout). After a success, the answer stays the
/// handler's even if the completion fails or comes too late; the log gets a warning, and a retry may be handled again.
///
/// # Cancellation
///
/// The future may be dropped at any time, for example by a timeout outside the middleware. While the handler runs, that
/// releases the delivery; once the handler has succeeded, the completion goes on in the background. Background work runs on the
/// worker's runtime: when it shuts down, what is left waits for the lease to run out.
///
/// If an HTTP/1 client closes its connection, actix-web lets the handler finish, and its success completes the delivery. With
/// `HttpServer::h1_allow_half_closed(false)`, actix-web drops the handler instead, which releases the delivery.
///
/// Choose a [`lease`](countersign_once::OnceBuilder::lease) that is longer than the handler's timeout. Otherwise a retry may run
/// at the same time as the first handler.
#[derive(Clone)]
#[must_use = "a middleware handles nothing until a service is wrapped in it"]
pub struct HandleOnce(Arc<Settings>);

impl HandleOnce {
    /// Handles each delivery once, by the memory of this `Once`.
    pub fn new(once: Once) -> Self {
        Self(Arc::new(Settings::new(once)))
    }

    /// Answers duplicates with this status instead of 200.
    ///
    /// # Errors
    ///
    /// [`BuildError::DuplicateStatus`]: it is not a success, so the sender would repeat duplicates.
    pub fn duplicate_status(self, status: StatusCode) -> Result<Self, BuildError> {
        let answers = self.0.answers.duplicate_status(status.as_u16())?;
        Ok(self.with(|settings| settings.answers = answers))
    }

    /// Answers with this status instead of 503 while another attempt is in the handler. Choose one after which the sender tries
    /// again, such as 409, 425 or 429.
    ///
    /// # Errors
    ///
    /// [`BuildError::InProgressStatus`]: it is not one of 400 to 599, so the sender would not try again.
    pub fn in_progress_status(self, status: StatusCode) -> Result<Self, BuildError> {
        let answers = self.0.answers.in_progress_status(status.as_u16())?;
        Ok(self.with(|settings| settings.answers = answers))
    }

    /// `Retry-After` if the store cannot tell how long to wait; 30 seconds by default, rounded up to whole
    /// seconds.
    pub fn retry_after(self, time: Duration) -> Self {
        self.with(|settings| settings.answers = settings.answers.retry_after(time))
    }

    /// Decides by its status whether the handler's answer completes the delivery; by default, every 2xx does.
    ///
    /// Every other answer releases the delivery, so that the sender's next attempt is handled.
    pub fn success(self, is_success: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.is_success = Arc::new(is_success))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for HandleOnce
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Transform = HandleOnceMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(HandleOnceMiddleware::new(Rc::new(service), Arc::clone(&self.0))))
    }
}

impl fmt::Debug for HandleOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
