//! Receivers that handle each delivery once, alike in both frameworks.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpResponse, dev::Service, web};
use axum::{Router, body::Body, routing::post};
use countersign::VerifierSource;
use countersign_actix::{HandleOnce, VerifyWebhook};
use countersign_once::{Once, Outcome};
use countersign_tower::{HandleOnceLayer, VerifyWebhookLayer};
use http::StatusCode;
use tokio::task::LocalSet;
use tower::ServiceExt;

use super::{Delivery, actix_request, block_on, request};

pub(crate) type Answering = Pin<Box<dyn Future<Output = u16> + Send>>;

type Receiving = Pin<Box<dyn Future<Output = Answer>>>;

/// What the handler does, as a future of the status that it answers.
pub(crate) type Work = Arc<dyn Fn() -> Answering + Send + Sync>;

/// What a caller sees, and the outcome that the response's extensions hold for the operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) outcome: Option<Outcome>,
}

/// A guarded handler in one framework.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) framework: &'static str,
    receive: Rc<dyn Fn(&Delivery) -> Receiving>,
    /// How often the handler began.
    runs: Arc<AtomicUsize>,
}

impl Receiver {
    pub(crate) async fn receive(&self, delivery: &Delivery) -> Answer {
        (self.receive)(delivery).await
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    /// Receives a delivery and asserts the status and the outcome.
    pub(crate) async fn assert(&self, delivery: &Delivery, status: u16, outcome: Outcome) {
        let answer = self.receive(delivery).await;
        assert_eq!((answer.status, answer.outcome), (status, Some(outcome)), "{}", self.framework);
    }
}

/// The settings of a receiver, applied alike in both frameworks.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) verifier: Option<VerifierSource>,
    pub(crate) work: Work,
    pub(crate) duplicate: u16,
    pub(crate) in_progress: u16,
    pub(crate) success: fn(u16) -> bool,
    /// How many layers of it there are: one, unless somebody made a mistake.
    pub(crate) layers: usize,
}

impl Setup {
    pub(crate) fn new(verifier: impl Into<VerifierSource>, work: Work) -> Self {
        let success = |status| (200..300).contains(&status);
        Self { verifier: Some(verifier.into()), work, duplicate: 200, in_progress: 503, success, layers: 1 }
    }

    /// Runs the test in each framework, with a memory of its own.
    pub(crate) fn in_each<F: Future<Output = ()>>(
        &self,
        once: impl Fn() -> Once,
        test: impl Fn(Receiver) -> F,
    ) {
        block_on(LocalSet::new().run_until(async {
            test(self.in_axum(once())).await;
            test(self.in_actix(once()).await).await;
        }));
    }

    fn in_axum(&self, once: Once) -> Receiver {
        let runs = Arc::new(AtomicUsize::new(0));
        let (work, began) = (Arc::clone(&self.work), Arc::clone(&runs));
        let mut app = Router::new().route(
            "/",
            post(move || {
                began.fetch_add(1, Ordering::Relaxed);
                let work = work();
                async move { StatusCode::from_u16(work.await).unwrap() }
            }),
        );
        let success = self.success;
        let layer = HandleOnceLayer::new(once)
            .duplicate_status(StatusCode::from_u16(self.duplicate).unwrap())
            .and_then(|layer| layer.in_progress_status(StatusCode::from_u16(self.in_progress).unwrap()))
            .unwrap()
            .success(move |status| success(status.as_u16()));
        for _ in 0..self.layers {
            app = app.layer(layer.clone());
        }
        if let Some(verifier) = &self.verifier {
            app = app.layer(VerifyWebhookLayer::new(verifier.clone()));
        }
        let receive = move |delivery: &Delivery| -> Receiving {
            let response = app.clone().oneshot(request(delivery).map(Body::new));
            Box::pin(async move {
                let response = response.await.unwrap();
                Answer {
                    status: response.status().as_u16(),
                    retry_after: response
                        .headers()
                        .get("retry-after")
                        .map(|value| value.to_str().unwrap().into()),
                    outcome: response.extensions().get().copied(),
                }
            })
        };
        Receiver { framework: "axum", receive: Rc::new(receive), runs }
    }

    async fn in_actix(&self, once: Once) -> Receiver {
        let runs = Arc::new(AtomicUsize::new(0));
        let (work, began) = (Arc::clone(&self.work), Arc::clone(&runs));
        let handler = move || {
            began.fetch_add(1, Ordering::Relaxed);
            let work = work();
            async move { HttpResponse::new(actix_web::http::StatusCode::from_u16(work.await).unwrap()) }
        };
        let success = self.success;
        let layer = HandleOnce::new(once)
            .duplicate_status(actix_web::http::StatusCode::from_u16(self.duplicate).unwrap())
            .and_then(|layer| {
                layer.in_progress_status(actix_web::http::StatusCode::from_u16(self.in_progress).unwrap())
            })
            .unwrap()
            .success(move |status| success(status.as_u16()));
        // Conditions keep the type the same, whatever the setup.
        let twice = actix_web::middleware::Condition::new(self.layers > 1, layer.clone());
        let any = || countersign::Verifier::builder(countersign::senders::extend());
        let guard = self
            .verifier
            .clone()
            .unwrap_or_else(|| any().secret("k", countersign::Secret::new("unused")).build().unwrap().into());
        let guard = actix_web::middleware::Condition::new(self.verifier.is_some(), VerifyWebhook::new(guard));
        let resource = web::resource("/").route(web::post().to(handler)).wrap(layer).wrap(twice).wrap(guard);
        let app = Rc::new(actix_web::test::init_service(App::new().service(resource)).await);
        let receive = move |delivery: &Delivery| -> Receiving {
            let response = app.call(actix_request(delivery));
            Box::pin(async move {
                let response = response.await.unwrap();
                Answer {
                    status: response.status().as_u16(),
                    retry_after: response
                        .headers()
                        .get("retry-after")
                        .map(|value| value.to_str().unwrap().into()),
                    outcome: response.response().extensions().get().copied(),
                }
            })
        };
        Receiver { framework: "actix", receive: Rc::new(receive), runs }
    }
}
