//! A request that is cancelled at any await leaves its delivery free or done, never held.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
    time::Duration,
};

use countersign_once::{Claim, ClaimAnswer, Decision, Identity, Once, Store, Token};
use tokio::{task::yield_now, time::sleep};

use crate::scripted_store::{ScriptedStore, Step, Wait};

const IDENTITY: Identity = Identity::from_bytes([7; 32]);
const LEASE: Duration = Duration::from_secs(600);

/// What the request does with its claim.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Completes,
    Releases,
}

async fn request(once: Once, ending: Ending, handled: &AtomicBool) {
    let Decision::Handle(mut running) = once.begin(IDENTITY, None).await else {
        panic!("the handler does not run")
    };
    yield_now().await;
    let _ = running.extend(LEASE).await;
    yield_now().await;
    handled.store(true, Ordering::Relaxed);
    let _ = match ending {
        Ending::Completes => running.complete().await,
        Ending::Releases => running.release().await,
    };
}

/// Polls the request until it is over or was polled `polls` times, and drops it. Whether it was over.
async fn cancelled_after(polls: usize, request: impl Future) -> bool {
    let mut request = pin!(request);
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(request.as_mut().poll(context).is_ready())).await {
            return true;
        }
        // The background and the timers of the store's own calls go on in between.
        yield_now().await;
    }
    false
}

async fn left_behind(store: &ScriptedStore) -> ClaimAnswer {
    sleep(LEASE / 10).await;
    let probe = Claim::new(IDENTITY, Token::from_bytes([0xFF; 16]));
    store.inner.claim(probe, LEASE).await.unwrap()
}

/// Cancels the request after every number of polls, over a store whose every call waits as `step` says.
async fn cancel_everywhere(step: Step, ending: Ending) {
    for polls in 0.. {
        let store = ScriptedStore::new(vec![step; 3]);
        let once = Once::builder(store.clone()).lease(LEASE).build().unwrap();
        let handled = AtomicBool::new(false);
        let over = cancelled_after(polls, request(once, ending, &handled)).await;
        let done = ending == Ending::Completes && handled.load(Ordering::Relaxed);
        let wanted = if done { ClaimAnswer::Done } else { ClaimAnswer::Granted };
        assert_eq!(left_behind(&store).await, wanted, "{step:?}, {ending:?}, {polls} polls");
        if over {
            assert!(handled.load(Ordering::Relaxed));
            return;
        }
        assert!(polls < 100, "the request does not end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_leaves_its_delivery_free_or_done() {
    for before in [0, 1, 3] {
        for after in [0, 1, 3] {
            let step = Step { before: Wait::Yields(before), after: Wait::Yields(after), ..Step::default() };
            for ending in [Ending::Completes, Ending::Releases] {
                cancel_everywhere(step, ending).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_to_the_memory_store_leaves_its_delivery_free_or_done() {
    for ending in [Ending::Completes, Ending::Releases] {
        cancel_everywhere(Step::default(), ending).await;
    }
}
