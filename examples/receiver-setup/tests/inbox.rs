//! What becomes of deliveries when the worker of an inbox is shut down.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use countersign::{Secret, Signer, VerifiedDelivery, Verifier, senders};
use countersign_inbox::{Delivery, Filter, SqliteInbox, State, sqlx::Sqlite};
use receiver_setup::WorkedInbox;
use tokio::time::sleep;

const PATIENCE: Duration = Duration::from_secs(60);
const IN_WORK: usize = 3;
const SECRET: &str = "9tWm4KzQ7cXv2LpR";

fn delivery(body: &str) -> VerifiedDelivery {
    let signer = Signer::new(senders::moduslink(), [Secret::new(SECRET)]).unwrap();
    let headers = signer.headers(body.as_bytes(), SystemTime::now()).unwrap();
    let verifier =
        Verifier::builder(senders::moduslink()).secret("key", Secret::new(SECRET)).build().unwrap();
    let mut verification = verifier.begin_buffered(&headers, SystemTime::now()).unwrap();
    verification.update(body.to_owned().into()).unwrap();
    verification.finish().unwrap()
}

async fn accept(inbox: &SqliteInbox, body: &str) {
    inbox.accept(&delivery(body), &[("", ""); 0]).await.unwrap();
}

/// The bodies in this state.
async fn bodies(file: &Path, state: State) -> Vec<String> {
    let inbox = SqliteInbox::open(file).await.unwrap().build().await.unwrap();
    let mut bodies = Vec::new();
    for entry in inbox.list(&Filter::all().state(state), 0, 100).await.unwrap() {
        let body = inbox.show(entry.id).await.unwrap().unwrap().body;
        bodies.push(String::from_utf8(body.to_vec()).unwrap());
    }
    bodies
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not so in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Handlers that wait until they may end.
#[derive(Default)]
struct Gate {
    begun: AtomicUsize,
    ended: AtomicUsize,
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        drop(self.opened.wait_while(self.is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

// A handler here keeps its thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_is_in_work_is_finished_and_what_comes_later_is_handled_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.db");
    let gate = Arc::new(Gate::default());
    let handle = {
        let gate = Arc::clone(&gate);
        move |_: &Delivery<Sqlite>| gate.pass()
    };
    let worked = WorkedInbox::open(&file, handle.clone()).await.unwrap();
    let inbox = worked.inbox();
    for body in ["1", "2", "3"] {
        accept(&inbox, body).await;
    }
    until("all begun", async || gate.begun.load(Ordering::SeqCst) == IN_WORK).await;

    let closing = tokio::spawn(worked.close());
    sleep(Duration::from_millis(300)).await;
    assert!(!closing.is_finished(), "it lets its handlers end");
    // A request that was open when the receiver was told to end.
    accept(&inbox, "4").await;
    gate.open();
    closing.await.unwrap().unwrap();
    let (done, pending) = (bodies(&file, State::Done).await, bodies(&file, State::Pending).await);
    assert_eq!([&done[..], &pending].concat(), ["1", "2", "3", "4"]);
    assert!(done.len() >= IN_WORK, "{done:?}");
    assert_eq!(gate.ended.load(Ordering::SeqCst), done.len());

    let worked = WorkedInbox::open(&file, handle).await.unwrap();
    until("all done", async || bodies(&file, State::Done).await.len() == IN_WORK + 1).await;
    worked.close().await.unwrap();
    assert_eq!(gate.ended.load(Ordering::SeqCst), IN_WORK + 1, "none was handled twice");
}
