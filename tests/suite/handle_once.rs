//! Each delivery handled once, in both frameworks: what runs the handler, what is answered in its place, and what a failure, a
//! panic or a client that goes away leaves behind.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use countersign::{Scheme, Signer, senders};
use countersign_once::{
    Claim, ClaimAnswer, Fence, MemoryStore, Once, Outcome, Store, StoreError, WhenUnavailable,
};
use countersign_tower::HandleOnceLayer;
use tokio::{sync::Semaphore, task::yield_now};

use crate::harness::{
    Delivery, hmac_delivery,
    once::{Answer, Setup, Work},
    verifier,
};

const SECRET: &str = "secret";

fn memory() -> Once {
    Once::new(MemoryStore::default()).unwrap()
}

fn work<F: Future<Output = u16> + Send + 'static>(work: impl Fn() -> F + Send + Sync + 'static) -> Work {
    Arc::new(move || Box::pin(work()))
}

fn answers(status: u16) -> Work {
    work(move || async move { status })
}

fn setup(scheme: Scheme, work: Work) -> Setup {
    Setup::new(verifier(scheme, SECRET), work)
}

fn moduslink(body: &str) -> Delivery {
    hmac_delivery(senders::moduslink(), SECRET, body)
}

/// Lets background tasks run until there is nothing left for them to do.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[test]
fn a_retry_is_answered_with_success_and_without_the_handler() {
    setup(senders::moduslink(), answers(201)).in_each(memory, async |receiver| {
        receiver.assert(&moduslink("1"), 201, Outcome::New).await;
        for _ in 0..3 {
            let answer = receiver.receive(&moduslink("1")).await;
            let duplicate = Answer { status: 200, retry_after: None, outcome: Some(Outcome::Duplicate) };
            assert_eq!(answer, duplicate, "{}", receiver.framework);
        }
        receiver.assert(&moduslink("2"), 201, Outcome::New).await;
        assert_eq!(receiver.runs(), 2, "{}", receiver.framework);
    });
}

#[test]
fn ten_thousand_replays_of_a_captured_delivery_run_the_handler_once() {
    setup(senders::moduslink(), answers(200)).in_each(memory, async |receiver| {
        let captured = moduslink("ship it");
        for _ in 0..10_000 {
            assert_eq!(receiver.receive(&captured).await.status, 200);
        }
        assert_eq!(receiver.runs(), 1, "{}", receiver.framework);
    });
}

#[test]
fn an_answer_that_is_not_a_success_leaves_the_delivery_to_the_next_attempt() {
    let status = Arc::new(AtomicU16::new(500));
    let current = Arc::clone(&status);
    let handler = work(move || {
        let status = current.load(Ordering::Relaxed);
        async move { status }
    });
    setup(senders::moduslink(), handler).in_each(memory, async |receiver| {
        for failure in [500, 404, 302, 408] {
            status.store(failure, Ordering::Relaxed);
            receiver.assert(&moduslink("1"), failure, Outcome::New).await;
        }
        status.store(204, Ordering::Relaxed);
        receiver.assert(&moduslink("1"), 204, Outcome::New).await;
        receiver.assert(&moduslink("1"), 200, Outcome::Duplicate).await;
        assert_eq!(receiver.runs(), 5, "{}", receiver.framework);
    });
}

#[test]
fn a_copy_that_arrives_while_the_handler_runs_is_asked_to_come_again() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = work(move || {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.unwrap().forget();
            200
        }
    });
    setup(senders::moduslink(), handler).in_each(memory, async |receiver| {
        let first = {
            let receiver = receiver.clone();
            tokio::task::spawn_local(async move { receiver.receive(&moduslink("1")).await })
        };
        settle().await;
        let second = receiver.receive(&moduslink("1")).await;
        assert_eq!((second.status, second.outcome), (503, Some(Outcome::InProgress)));
        let seconds: u64 = second.retry_after.unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{}: the lease has {seconds} s left", receiver.framework);
        gate.add_permits(1);
        assert_eq!(first.await.unwrap().outcome, Some(Outcome::New));
        receiver.assert(&moduslink("1"), 200, Outcome::Duplicate).await;
        assert_eq!(receiver.runs(), 1, "{}", receiver.framework);
    });
}

#[test]
fn a_thousand_copies_at_once_run_the_handler_once() {
    let handler = work(|| async {
        settle().await;
        200
    });
    setup(senders::moduslink(), handler).in_each(memory, async |receiver| {
        let copies: Vec<_> = (0..1000)
            .map(|_| {
                let receiver = receiver.clone();
                tokio::task::spawn_local(
                    async move { receiver.receive(&moduslink("1")).await.outcome.unwrap() },
                )
            })
            .collect();
        let mut new = 0;
        for copy in copies {
            new += usize::from(copy.await.unwrap() == Outcome::New);
        }
        assert_eq!((new, receiver.runs()), (1, 1), "{}", receiver.framework);
    });
}

#[test]
fn a_handler_that_panics_leaves_the_delivery_to_the_next_attempt() {
    let panics = Arc::new(AtomicBool::new(true));
    let now = Arc::clone(&panics);
    let handler = work(move || {
        let panics = now.load(Ordering::Relaxed);
        async move {
            assert!(!panics, "a bug in the handler");
            200
        }
    });
    setup(senders::moduslink(), handler).in_each(memory, async |receiver| {
        panics.store(true, Ordering::Relaxed);
        let panicking = receiver.clone();
        let panicked =
            tokio::task::spawn_local(async move { panicking.receive(&moduslink("1")).await }).await;
        assert!(panicked.unwrap_err().is_panic());
        settle().await;
        panics.store(false, Ordering::Relaxed);
        receiver.assert(&moduslink("1"), 200, Outcome::New).await;
        receiver.assert(&moduslink("1"), 200, Outcome::Duplicate).await;
    });
}

#[test]
fn a_request_dropped_at_any_await_leaves_the_delivery_handled_or_to_the_next_attempt() {
    let finished = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&finished);
    let handler = work(move || {
        let finished = Arc::clone(&count);
        async move {
            for _ in 0..3 {
                yield_now().await;
            }
            finished.fetch_add(1, Ordering::Relaxed);
            200
        }
    });
    let once = || Once::new(Slow(MemoryStore::default())).unwrap();
    setup(senders::moduslink(), handler).in_each(once, async |receiver| {
        let mut outcomes = Vec::new();
        for polls in 0_usize.. {
            let delivery = moduslink(&polls.to_string());
            let before = finished.load(Ordering::Relaxed);
            let ended = {
                let mut request = pin!(receiver.receive(&delivery));
                let mut cx = Context::from_waker(Waker::noop());
                let mut ended = false;
                for _ in 0..polls {
                    ended = ended || request.as_mut().poll(&mut cx).is_ready();
                    if ended {
                        break;
                    }
                    // What the store and the handler wait for goes on in between.
                    yield_now().await;
                }
                ended
            };
            settle().await;
            let answer = receiver.receive(&delivery).await;
            assert_eq!(answer.status, 200, "{} after {polls} polls", receiver.framework);
            let handled = finished.load(Ordering::Relaxed) - before;
            assert_eq!(handled, 1, "{} after {polls} polls: {answer:?}", receiver.framework);
            outcomes.push(answer.outcome.unwrap());
            if ended {
                break;
            }
        }
        assert!(outcomes.contains(&Outcome::New) && outcomes.contains(&Outcome::Duplicate), "{outcomes:?}");
        assert!(outcomes.len() > 5, "{}: {outcomes:?}", receiver.framework);
    });
}

#[test]
fn a_store_that_is_away_refuses_deliveries_unless_it_is_set_to_go_on() {
    let refuse = || Once::new(Away).unwrap();
    let handler = setup(senders::moduslink(), answers(200));
    handler.in_each(refuse, async |receiver| {
        let answer = receiver.receive(&moduslink("1")).await;
        let refused =
            Answer { status: 503, retry_after: Some("30".into()), outcome: Some(Outcome::Unavailable) };
        assert_eq!((answer, receiver.runs()), (refused, 0), "{}", receiver.framework);
    });
    let go_on = || Once::builder(Away).when_unavailable(WhenUnavailable::GoOn).build().unwrap();
    handler.in_each(go_on, async |receiver| {
        for _ in 0..2 {
            receiver.assert(&moduslink("1"), 200, Outcome::Unguarded).await;
        }
        assert_eq!(receiver.runs(), 2, "{}", receiver.framework);
    });
}

#[test]
fn statuses_and_what_counts_as_success_are_settings() {
    let handler = Setup {
        duplicate: 204,
        in_progress: 425,
        success: |status| status == 404,
        ..setup(senders::moduslink(), answers(404))
    };
    handler.in_each(memory, async |receiver| {
        receiver.assert(&moduslink("1"), 404, Outcome::New).await;
        receiver.assert(&moduslink("1"), 204, Outcome::Duplicate).await;
    });
    let stuck = Setup { work: work(std::future::pending), ..handler };
    stuck.in_each(memory, async |receiver| {
        let first = receiver.clone();
        let first = tokio::task::spawn_local(async move { first.receive(&moduslink("1")).await });
        settle().await;
        receiver.assert(&moduslink("1"), 425, Outcome::InProgress).await;
        first.abort();
    });
}

#[test]
fn a_status_that_would_make_a_sender_repeat_duplicates_or_forget_deliveries_is_refused_at_set_up() {
    let layer = || HandleOnceLayer::new(memory());
    assert_eq!(
        layer().duplicate_status(http::StatusCode::CONFLICT).unwrap_err().to_string(),
        "the status for duplicates is 409, after which the sender would repeat them: use 200 to 299"
    );
    assert_eq!(
        layer().in_progress_status(http::StatusCode::OK).unwrap_err().to_string(),
        "the status for deliveries in progress is 200, after which the sender would not repeat them: use 400 to 599"
    );
}

#[test]
fn without_a_guard_or_twice_it_answers_500_and_runs_no_handler() {
    let handler = setup(senders::moduslink(), answers(200));
    for broken in [Setup { verifier: None, ..handler.clone() }, Setup { layers: 2, ..handler }] {
        broken.in_each(memory, async |receiver| {
            let answer = receiver.receive(&moduslink("1")).await;
            assert_eq!((answer.status, receiver.runs()), (500, 0), "{}", receiver.framework);
        });
    }
}

#[test]
fn a_forged_delivery_claims_nothing() {
    setup(senders::extend(), answers(200)).in_each(memory, async |receiver| {
        let body = r#"{"Id":"7","Attempt":1}"#;
        let forged = hmac_delivery(senders::extend(), "guessed", body);
        assert_eq!(receiver.receive(&forged).await.status, 401);
        receiver.assert(&hmac_delivery(senders::extend(), SECRET, body), 200, Outcome::New).await;
    });
}

#[test]
fn an_extend_retry_with_a_raised_attempt_is_a_duplicate_though_its_bytes_differ() {
    setup(senders::extend(), answers(200)).in_each(memory, async |receiver| {
        let attempt = |id: &str, attempt: u8| {
            let body = format!(r#"{{"Id":"{id}","Attempt":{attempt}}}"#);
            hmac_delivery(senders::extend(), SECRET, body)
        };
        receiver.assert(&attempt("7", 1), 200, Outcome::New).await;
        receiver.assert(&attempt("7", 2), 200, Outcome::Duplicate).await;
        receiver.assert(&attempt("8", 1), 200, Outcome::New).await;
    });
}

#[test]
fn an_unsigned_delivery_id_does_not_make_a_replay_new() {
    setup(senders::ewarehousing(), answers(200)).in_each(memory, async |receiver| {
        let delivery = hmac_delivery(senders::ewarehousing(), SECRET, r#"{"group":"stock"}"#);
        receiver.assert(&delivery.with_header("x-webhook-id", "1"), 200, Outcome::New).await;
        receiver.assert(&delivery.with_header("x-webhook-id", "2"), 200, Outcome::Duplicate).await;
    });
}

#[test]
fn a_signed_delivery_id_makes_one_delivery_of_two_timestamps() {
    let scheme = senders::standard_webhooks;
    let secret = "whsec_c2VjcmV0";
    let handler = Setup::new(verifier(scheme(), secret), answers(200));
    handler.in_each(memory, async |receiver| {
        let sent = |id: &str, seconds_ago: u64, body: &str| {
            let signer =
                Signer::new(scheme(), [countersign::Secret::new(secret)]).unwrap().header("webhook-id", id);
            let then = std::time::SystemTime::now() - Duration::from_secs(seconds_ago);
            Delivery::new(signer.headers(body.as_bytes(), then).unwrap(), body)
        };
        receiver.assert(&sent("msg_1", 60, "{}"), 200, Outcome::New).await;
        receiver.assert(&sent("msg_1", 0, "{}"), 200, Outcome::Duplicate).await;
        // One id is one delivery, whatever else its sender signs.
        receiver.assert(&sent("msg_1", 0, "{\"changed\":true}"), 200, Outcome::Duplicate).await;
        receiver.assert(&sent("msg_2", 0, "{}"), 200, Outcome::New).await;
    });
}

/// A store in memory that makes every caller wait, so that a request can be dropped while it does.
struct Slow(MemoryStore);

impl Store for Slow {
    async fn claim(&self, claim: Claim, lease: Duration) -> Result<ClaimAnswer, StoreError> {
        yield_now().await;
        let answer = self.0.claim(claim, lease).await;
        yield_now().await;
        answer
    }

    async fn complete(&self, claim: Claim, keep_for: Duration) -> Result<Fence, StoreError> {
        yield_now().await;
        let fence = self.0.complete(claim, keep_for).await;
        yield_now().await;
        fence
    }

    async fn extend(&self, claim: Claim, lease: Duration) -> Result<Fence, StoreError> {
        self.0.extend(claim, lease).await
    }

    async fn release(&self, claim: Claim) -> Result<Fence, StoreError> {
        yield_now().await;
        self.0.release(claim).await
    }
}

/// A store that nobody reaches.
struct Away;

impl Store for Away {
    async fn claim(&self, _: Claim, _: Duration) -> Result<ClaimAnswer, StoreError> {
        Err(StoreError::new("away"))
    }

    async fn complete(&self, _: Claim, _: Duration) -> Result<Fence, StoreError> {
        Err(StoreError::new("away"))
    }

    async fn extend(&self, _: Claim, _: Duration) -> Result<Fence, StoreError> {
        Err(StoreError::new("away"))
    }

    async fn release(&self, _: Claim) -> Result<Fence, StoreError> {
        Err(StoreError::new("away"))
    }
}
