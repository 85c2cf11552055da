//! A handler that completes its delivery in its own SQLite transaction, in both frameworks: the effect and the memory of it
//! commit together.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use actix_web::{App, HttpResponse, dev::Service, web};
use axum::{Router, body::Body, extract::State, http::StatusCode, routing::post};
use countersign::{VerifiedDelivery, senders};
use countersign_actix::VerifyWebhook;
use countersign_once::{Fence, MemoryStore, Once, SqliteStore};
use countersign_tower::{HandleOnceLayer, VerifyWebhookLayer};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use tower::ServiceExt;

use crate::harness::{Delivery, actix_request, block_on, hmac_delivery, request, verifier};

/// What goes wrong after the work is done, but for nothing.
const NOTHING: u8 = 0;
/// The handler rolls back, and answers 500.
const ROLLBACK: u8 = 1;
/// The handler commits, and answers 500 all the same.
const AFTER_COMMIT: u8 = 2;

#[derive(Clone)]
struct Desk {
    store: Arc<SqliteStore>,
    failure: Arc<AtomicU8>,
    /// Removed with the last clone.
    _folder: Arc<tempfile::TempDir>,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options =
            SqliteConnectOptions::new().filename(folder.path().join("desk.db")).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("CREATE TABLE orders (number INTEGER PRIMARY KEY)").execute(&pool).await.unwrap();
        let store = SqliteStore::new(pool);
        store.migrate().await.unwrap();
        Self { store: Arc::new(store), failure: Arc::default(), _folder: Arc::new(folder) }
    }

    fn once(&self) -> Once {
        Once::new(Arc::clone(&self.store)).unwrap()
    }

    async fn orders(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(self.store.pool()).await.unwrap()
    }

    /// Adds an order and completes the delivery in one transaction. Returns the status to answer.
    async fn take_order(&self, claim: &countersign_once::Claim, keep_for: std::time::Duration) -> u16 {
        let failure = self.failure.load(Ordering::Relaxed);
        let mut transaction = self.store.pool().begin().await.unwrap();
        sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut *transaction).await.unwrap();
        let fence = self.store.complete_in(&mut transaction, claim, keep_for).await.unwrap();
        if failure == ROLLBACK || fence == Fence::Lost {
            transaction.rollback().await.unwrap();
            return 500;
        }
        transaction.commit().await.unwrap();
        if failure == AFTER_COMMIT { 500 } else { 200 }
    }
}

async fn in_axum(State(desk): State<Desk>, claim: countersign_tower::OnceClaim) -> StatusCode {
    StatusCode::from_u16(desk.take_order(claim.claim(), claim.keep_for()).await).unwrap()
}

async fn in_actix(desk: web::Data<Desk>, claim: countersign_actix::OnceClaim) -> HttpResponse {
    let status = desk.take_order(claim.claim(), claim.keep_for()).await;
    HttpResponse::new(actix_web::http::StatusCode::from_u16(status).unwrap())
}

/// Sends these deliveries to a new desk in each framework, with this failure after each, and returns the statuses and how many
/// orders there are.
fn sent(deliveries: &[(&Delivery, u8)]) -> (Vec<u16>, i64) {
    let verifier = || verifier(senders::extend(), "secret");
    let by_axum = block_on(async {
        let desk = Desk::new().await;
        let app = Router::new()
            .route("/", post(in_axum))
            .layer(HandleOnceLayer::new(desk.once()))
            .layer(VerifyWebhookLayer::new(verifier()))
            .with_state(desk.clone());
        let mut statuses = Vec::new();
        for (delivery, failure) in deliveries {
            desk.failure.store(*failure, Ordering::Relaxed);
            let response = app.clone().oneshot(request(delivery).map(Body::new)).await.unwrap();
            statuses.push(response.status().as_u16());
        }
        (statuses, desk.orders().await)
    });
    let by_actix = block_on(async {
        let desk = Desk::new().await;
        let resource = web::resource("/")
            .route(web::post().to(in_actix))
            .wrap(countersign_actix::HandleOnce::new(desk.once()))
            .wrap(VerifyWebhook::new(verifier()));
        let app = App::new().app_data(web::Data::new(desk.clone())).service(resource);
        let app = actix_web::test::init_service(app).await;
        let mut statuses = Vec::new();
        for (delivery, failure) in deliveries {
            desk.failure.store(*failure, Ordering::Relaxed);
            statuses.push(app.call(actix_request(delivery)).await.unwrap().status().as_u16());
        }
        (statuses, desk.orders().await)
    });
    assert_eq!(by_axum, by_actix);
    by_axum
}

fn attempt(id: u8, attempt: u8) -> Delivery {
    hmac_delivery(senders::extend(), "secret", format!(r#"{{"Id":"{id}","Attempt":{attempt}}}"#))
}

#[test]
fn the_order_and_the_memory_of_its_delivery_commit_together() {
    let sent = sent(&[(&attempt(1, 1), NOTHING), (&attempt(1, 2), NOTHING), (&attempt(2, 1), NOTHING)]);
    assert_eq!(sent, (vec![200, 200, 200], 2));
}

#[test]
fn a_transaction_that_is_rolled_back_leaves_the_delivery_to_the_next_attempt() {
    let sent = sent(&[(&attempt(1, 1), ROLLBACK), (&attempt(1, 2), ROLLBACK), (&attempt(1, 3), NOTHING)]);
    assert_eq!(sent, (vec![500, 500, 200], 1));
}

#[test]
fn a_failure_after_the_commit_does_not_double_the_effect() {
    let sent = sent(&[(&attempt(1, 1), AFTER_COMMIT), (&attempt(1, 2), NOTHING)]);
    assert_eq!(sent, (vec![500, 200], 1));
}

#[test]
fn a_handler_that_needs_a_claim_and_has_none_does_not_run() {
    let delivery = attempt(1, 1);
    block_on(async {
        let desk = Desk::new().await;
        let guard = VerifyWebhookLayer::new(verifier(senders::extend(), "secret"));
        let route = || Router::new().route("/", post(in_axum));
        let unlayered = route().layer(guard.clone()).with_state(desk.clone());
        let response = unlayered.oneshot(request(&delivery).map(Body::new)).await.unwrap();
        assert_eq!(response.status(), 500);
        // A handler that runs unguarded because the store is away has no claim either.
        let pool = SqlitePool::connect_lazy("sqlite:///nowhere/at/all.db").unwrap();
        let away = Once::builder(SqliteStore::new(pool))
            .when_unavailable(countersign_once::WhenUnavailable::GoOn)
            .build()
            .unwrap();
        let unguarded = route().layer(HandleOnceLayer::new(away)).layer(guard).with_state(desk.clone());
        let response = unguarded.oneshot(request(&delivery).map(Body::new)).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(desk.orders().await, 0);
    });
}

/// Only a delivery that somebody verified has an identity to claim.
#[test]
fn the_identity_that_is_claimed_is_the_deliverys_own() {
    fn claimed(delivery: &VerifiedDelivery) -> countersign::Identity {
        delivery.identify().identity
    }
    block_on(async {
        let store = Arc::new(MemoryStore::default());
        let once = Once::new(Arc::clone(&store)).unwrap();
        let handler = |delivery: countersign_tower::Verified, claim: countersign_tower::OnceClaim| async move {
            assert_eq!(*claim.claim().identity(), claimed(&delivery));
        };
        let app = Router::new()
            .route("/", post(handler))
            .layer(HandleOnceLayer::new(once))
            .layer(VerifyWebhookLayer::new(verifier(senders::extend(), "secret")));
        let response = app.oneshot(request(&attempt(1, 1)).map(Body::new)).await.unwrap();
        assert_eq!((response.status().as_u16(), store.remembered()), (200, 1));
    });
}
