use std::{fmt, sync::Arc, time::Duration};

use countersign_once::{BuildError, Once};
use http::StatusCode;
use tower_layer::Layer;

use super::{service::HandleOnce, settings::Settings};

/// Handles each delivery once: its handler runs for new deliveries only.
///
/// Put it inside the [`VerifyWebhookLayer`](crate::VerifyWebhookLayer): only a verified delivery can be claimed, so nobody else
/// can make the receiver ignore one. In axum, the layer added last runs first.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # fn app(verifier: countersign::Verifier) -> Result<axum::Router, countersign_once::BuildError> {
/// use axum::{Router, http::StatusCode, routing::post};
/// use countersign_once::{MemoryStore, Once};
/// use countersign_tower::{HandleOnceLayer, Verified, VerifyWebhookLayer};
///
/// /// Runs once for each delivery.
/// async fn order(verified: Verified) -> StatusCode {
///     println!("a new delivery from {}", verified.scheme().name());
///     StatusCode::OK
/// }
///
/// let once = HandleOnceLayer::new(Once::new(MemoryStore::default())?);
/// let app = Router::new()
///     .route("/webhooks/moduslink", post(order))
///     .layer(once)
///     .layer(VerifyWebhookLayer::new(verifier));
/// # Ok(app)
/// # }
/// ```
///
/// # Answers
///
/// The layer asks the delivery for its [identity](countersign::VerifiedDelivery::identify) and
/// [`Once`] for a decision:
///
/// | decision | answer |
/// |---|---|
/// | new | the handler's. A success completes the delivery; any other status, an error, a panic or a cancelled request releases it |
/// | handled before | [`duplicate_status`](Self::duplicate_status), 200 by default |
/// | another attempt is in the handler | [`in_progress_status`](Self::in_progress_status), 503 by default, with `Retry-After` |
/// | the store is away | 503 with `Retry-After`, or the handler's if `Once` is set to go on |
/// | no guard ran, or the layer is there twice | 500, and an error in the log (feature `tracing`) |
///
/// The layer's own answers have no body. The caller learns nothing but the status; the response's extensions hold the
/// [`Outcome`](countersign_once::Outcome).
///
/// # When a delivery is complete
///
/// Once the inner service has returned its response. The response's body does not count: do the work before you answer, not
/// while the body streams. The layer completes or releases the delivery before it passes the response on, which takes as
/// long as the store does, at most [`store_timeout`](countersign_once::OnceBuilder::store_timeout). After a success, the answer
/// stays the handler's even if the completion fails or comes too late; the log gets a warning, and a retry may be handled again.
///
/// # Cancellation
///
/// The future may be dropped at any time, for example by a timeout outside the layer or when the client goes away. While the
/// handler runs, that releases the delivery; once the handler has succeeded, the completion goes on in the background.
/// Background work needs the Tokio runtime: when it shuts down, what is left waits for the lease to run out.
///
/// Choose a [`lease`](countersign_once::OnceBuilder::lease) that is longer than the handler's timeout. Otherwise a retry may run
/// at the same time as the first handler.
///
/// # Other layers
///
/// The layer changes neither the response type nor the error type of the inner service. It needs a response body that is
/// `Default`, and requests, responses, errors and futures that are `Send`.
#[derive(Clone)]
#[must_use = "a layer handles nothing until it is added to a service"]
pub struct HandleOnceLayer(Arc<Settings>);

impl HandleOnceLayer {
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

impl<S> Layer<S> for HandleOnceLayer {
    type Service = HandleOnce<S>;

    fn layer(&self, inner: S) -> HandleOnce<S> {
        HandleOnce::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for HandleOnceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
