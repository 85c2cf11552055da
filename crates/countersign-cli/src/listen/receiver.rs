use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
};
use bytes::{Bytes, BytesMut};
use countersign::RejectionKind;
use http::{Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
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
    /// Free memory for bodies, in KiB.
    room: Arc<Semaphore>,
}

/// Memory for the bodies of all requests together, in KiB: at least one of the largest fits.
const ROOM: usize = 512 << 10;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a body was not read.
type Unread = (RejectionKind, StatusCode);

const TOO_LARGE: Unread = (RejectionKind::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE);

impl Receiver {
    pub(crate) fn new(intake: Arc<Intake>, body_limit: usize) -> Self {
        let room = ROOM.max(body_limit.div_ceil(1 << 9)).min(Semaphore::MAX_PERMITS);
        Self { intake, body_limit, room: Arc::new(Semaphore::new(room)) }
    }

    /// Every method and path is a delivery.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(receive).with_state(self)
    }

    async fn read(&self, head: &Parts, body: Body) -> Result<(Bytes, OwnedSemaphorePermit), Unread> {
        let declared = head.headers.get(header::CONTENT_LENGTH);
        let declared: Option<usize> = declared.and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length| length > self.body_limit) {
            return Err(TOO_LARGE);
        }
        let read = timeout(PATIENCE, self.collect(body)).await;
        read.unwrap_or(Err((RejectionKind::BodyTimeout, StatusCode::REQUEST_TIMEOUT)))
    }

    /// Reserves memory as bytes arrive, so that a slow caller holds no more than what it has sent.
    async fn collect(&self, mut body: Body) -> Result<(Bytes, OwnedSemaphorePermit), Unread> {
        const FULL: Unread = (RejectionKind::BudgetExhausted, StatusCode::SERVICE_UNAVAILABLE);
        const BROKEN: Unread = (RejectionKind::BodyUnreadable, StatusCode::BAD_REQUEST);
        let mut room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| FULL)?;
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(chunk) = frame.map_err(|_| BROKEN)?.into_data() else { continue };
            if bytes.len().saturating_add(chunk.len()) > self.body_limit {
                return Err(TOO_LARGE);
            }
            let more = Arc::clone(&self.room).try_acquire_many_owned(kib(chunk.len()));
            room.merge(more.map_err(|_| FULL)?);
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes.freeze(), room))
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

/// Rounded up.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX)
}
