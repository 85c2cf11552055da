use std::sync::Arc;

use bytes::Bytes;
use countersign::{Explanation, Rejection, RejectionKind, Scheme};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::spawn_blocking,
};

use super::{
    deliveries::Deliveries,
    forward::{Forward, empty},
    judge::{Arrived, Judge},
    record::{Attempt, Origin, Record, Verdict},
    terminal::Terminal,
};
use crate::instant;

/// Takes deliveries: verifies, shows, keeps and forwards them.
pub(crate) struct Intake {
    pub(crate) judge: Judge,
    pub(crate) forward: Option<Forward>,
    pub(crate) deliveries: Deliveries,
    pub(crate) terminal: Terminal,
    /// Rejections that wait to be explained, and those that are.
    waiting: Semaphore,
    explaining: Semaphore,
}

/// Limit on the rejections that wait to be explained. Others are shown without.
const MOST_WAITING: usize = 32;

/// Explaining uses all of a processor.
const MOST_EXPLAINING: usize = 2;

impl Intake {
    pub(crate) fn new(
        judge: Judge,
        forward: Option<Forward>,
        deliveries: Deliveries,
        terminal: Terminal,
    ) -> Self {
        let (waiting, explaining) = (Semaphore::new(MOST_WAITING), Semaphore::new(MOST_EXPLAINING));
        Self { judge, forward, deliveries, terminal, waiting, explaining }
    }

    /// Takes a delivery and returns the answer. It goes its way even if nobody waits for the answer any more.
    ///
    /// `made_here` is the sender as whom it was signed here. `room` is released once the delivery is kept.
    pub(crate) async fn take(
        self: &Arc<Self>,
        arrived: Arrived,
        origin: Origin,
        made_here: Option<Scheme>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Response<Full<Bytes>> {
        let (answer, answered) = oneshot::channel();
        let intake = Arc::clone(self);
        tokio::spawn(async move {
            intake.process(Arc::new(arrived), origin, made_here.as_ref(), answer).await;
            drop(room);
        });
        answered.await.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// Shows and keeps a request whose body was not read, and returns the answer.
    pub(crate) async fn refuse(
        self: &Arc<Self>,
        arrived: Arrived,
        kind: RejectionKind,
        status: StatusCode,
    ) -> Response<Full<Bytes>> {
        let verdict = Verdict { reason: Some(kind.as_str().to_owned()), ..Verdict::default() };
        let record = self.add(&arrived, Origin::Sender, verdict, None, None);
        self.terminal.delivery(&record);
        self.keep().await;
        let mut response = empty(status);
        response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        response
    }

    /// Sends a delivery to the service once more, and returns the attempt as it is noted.
    pub(crate) async fn replay(self: &Arc<Self>, id: u64, arrived: Arrived, forward: &Forward) -> Attempt {
        let (attempt, _) = forward.send(&arrived, true).await;
        self.deliveries.update(id, |record| record.add(attempt.clone()));
        if let Some(entry) = self.deliveries.get(id) {
            self.terminal.delivery(&entry.record);
        }
        self.keep().await;
        attempt
    }

    /// Writes to the disk what is not there yet.
    pub(crate) async fn keep(self: &Arc<Self>) {
        let intake = Arc::clone(self);
        let result = spawn_blocking(move || intake.deliveries.keep()).await;
        match result {
            Ok(Some(Err(failure))) => self.terminal.failure(&failure),
            Ok(Some(Ok(()))) => self.terminal.note("deliveries are kept again"),
            Ok(None) | Err(_) => {}
        }
    }

    async fn process(
        self: &Arc<Self>,
        arrived: Arc<Arrived>,
        origin: Origin,
        made_here: Option<&Scheme>,
        answer: oneshot::Sender<Response<Full<Bytes>>>,
    ) {
        let (intake, request) = (Arc::clone(self), Arc::clone(&arrived));
        // A large body takes a while.
        let Ok(verdict) = spawn_blocking(move || intake.judge.verify(&request)).await else { return };
        let verdict_shown = Verdict::new(verdict.as_ref());
        // The list may forget it before its line is written.
        let mut record = self.add(&arrived, origin, verdict_shown, Some(arrived.body.clone()), made_here);
        match (&verdict, &self.forward) {
            (Err(rejection), _) => {
                // If the sender is gone, nobody needs an answer.
                let _ = answer.send(rejected(rejection));
                if let Some(explanation) = self.explain(arrived).await {
                    record.verdict.explain(&explanation);
                    self.deliveries.update(record.id, |kept| kept.verdict.explain(&explanation));
                }
            }
            (Ok(_), None) => {
                let _ = answer.send(empty(StatusCode::OK));
            }
            (Ok(_), Some(forward)) => {
                let (attempt, response) = forward.send(&arrived, false).await;
                record.add(attempt.clone());
                self.deliveries.update(record.id, |kept| kept.add(attempt));
                let _ = answer.send(response);
            }
        }
        self.terminal.delivery(&record);
        self.keep().await;
    }

    /// `None` if too many rejections wait for theirs.
    async fn explain(self: &Arc<Self>, arrived: Arc<Arrived>) -> Option<Explanation> {
        let _waiting = self.waiting.try_acquire().ok()?;
        let _explaining = self.explaining.acquire().await.ok()?;
        let intake = Arc::clone(self);
        spawn_blocking(move || intake.judge.explain(&arrived)).await.ok()
    }

    fn add(
        &self,
        arrived: &Arrived,
        origin: Origin,
        verdict: Verdict,
        body: Option<Bytes>,
        made_here: Option<&Scheme>,
    ) -> Record {
        let mut record = Record {
            id: 0,
            at: instant::to_millis(arrived.at),
            origin,
            method: arrived.method.clone(),
            target: arrived.target.clone(),
            headers: self.judge.shown(&arrived.headers, made_here),
            body_length: body.as_ref().map_or(0, Bytes::len),
            verdict,
            attempts: Vec::new(),
        };
        record.id = self.deliveries.add(record.clone(), body);
        record
    }
}

fn rejected(rejection: &Rejection) -> Response<Full<Bytes>> {
    let mut response = empty(StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::UNAUTHORIZED));
    for (name, value) in rejection.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(*value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
