use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
};
use bytes::Bytes;
use countersign::RejectionKind;
use http::{Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{intake::Intake, judge::Arrived, record::Origin};

/// Reads deliveries from senders.
#[derive(Clone)]
pub(crate) struct Receiver {
    intake: Arc<Intake>,
    body_limit: usize,
    /// Free memory for bodies, in MiB.
    room: Arc<Semaphore>,
}

/// Memory for the bodies of all requests together, in MiB; at least one of the largest fits.
const ROOM: usize = 256;

/// How long a body may take, and how long it may wait for memory.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a body was not read.
type Unread = (RejectionKind, StatusCode);

impl Receiver {
    pub(crate) fn new(intake: Arc<Intake>, body_limit: usize) -> Self {
        let room = ROOM.max(mib(body_limit).try_into().unwrap_or(ROOM));
        Self { intake, body_limit, room: Arc::new(Semaphore::new(room)) }
    }

    /// Every method and path is a delivery.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(receive).with_state(self)
    }

    async fn read(&self, head: &Parts, body: Body) -> Result<(Bytes, OwnedSemaphorePermit), Unread> {
        let declared =
            head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let length = declared.unwrap_or(self.body_limit);
        if length > self.body_limit {
            return Err((RejectionKind::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE));
        }
        let room = timeout(PATIENCE, Arc::clone(&self.room).acquire_many_owned(mib(length))).await;
        let Ok(Ok(room)) = room else {
            return Err((RejectionKind::BudgetExhausted, StatusCode::SERVICE_UNAVAILABLE));
        };
        match timeout(PATIENCE, Limited::new(body, self.body_limit).collect()).await {
            Ok(Ok(body)) => Ok((body.to_bytes(), room)),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err((RejectionKind::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE))
            }
            Ok(Err(_)) => Err((RejectionKind::BodyUnreadable, StatusCode::BAD_REQUEST)),
            Err(_) => Err((RejectionKind::BodyTimeout, StatusCode::REQUEST_TIMEOUT)),
        }
    }
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let read = receiver.read(&head, body).await;
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    let mut arrived = Arrived {
        at: SystemTime::now(),
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: head.headers.iter().map(header).collect(),
        body: Bytes::new(),
    };
    match read {
        Ok((body, room)) => {
            arrived.body = body;
            receiver.intake.take(arrived, Origin::Sender, None, Some(room)).await
        }
        Err((kind, status)) => receiver.intake.refuse(arrived, kind, status).await,
    }
}

/// Rounded up, and at least 1.
fn mib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).max(1)
}
