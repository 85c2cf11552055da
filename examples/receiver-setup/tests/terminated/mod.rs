//! SIGTERM to a receiver with an inbox, as a process of its own.

use std::{
    collections::HashSet,
    io::Write,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign::{PrivateKey, Secret, Signer, Verifier, senders};
use countersign_inbox::{Entry, Filter, SqliteInbox, State};
use receiver_setup::demo_keys;
use test_servers::Port;
use tokio::task::JoinSet;

/// For how long it waits for what must come: what it checks does not depend on how fast that does.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many deliveries are under way at any time.
const PARALLEL: usize = 16;
/// How many deliveries were in the inbox before, so that the worker is busy all the while.
const BEFORE: usize = 3000;

/// SIGTERM while deliveries come in and others are being handled. The program ends with status 0, everything that it acknowledged is
/// in the inbox, and no delivery is left in the hands of the worker. After the next start, each is handled, none twice.
pub(crate) fn under_load(program: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.db");
    fill(&file);

    let (next, acknowledged) = (AtomicUsize::new(BEFORE), Mutex::new(HashSet::new()));
    thread::scope(|scope| {
        // Gone when this panics, so that the senders end.
        let mut receiver = Receiver::start(program, &file);
        let (address, next, acknowledged) = (receiver.address, &next, &acknowledged);
        for _ in 0..PARALLEL {
            scope.spawn(move || send_until_it_is_gone(address, next, acknowledged));
        }
        until("200 acknowledged", || acknowledged.lock().unwrap().len() >= 200);
        receiver.terminate();
    });
    let (acknowledged, left) = (acknowledged.into_inner().unwrap(), deliveries(&file));
    let bodies: HashSet<_> = left.iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies.len(), left.len(), "a delivery is stored twice");
    let missing = acknowledged.difference(&bodies).count();
    assert_eq!(missing, 0, "of {} acknowledged deliveries, some are missing", acknowledged.len());
    for (entry, _) in &left {
        let is_let_go = matches!((entry.state, entry.attempts), (State::Done, 1) | (State::Pending, 0));
        assert!(is_let_go, "{entry:?}");
    }
    let done = left.iter().filter(|(entry, _)| entry.state == State::Done).count();
    println!("{} acknowledged, {} stored, {done} handled before the end", acknowledged.len(), left.len());

    let mut receiver = Receiver::start(program, &file);
    until("all are handled", || all_are_handled(&file));
    receiver.terminate();
    let handled = deliveries(&file);
    assert_eq!(handled.len(), left.len());
    for (entry, _) in &handled {
        assert_eq!((entry.state, entry.attempts), (State::Done, 1), "{entry:?}");
    }
}

/// SIGTERM while clients have a connection without a request, half of a head, and half of a body. They do not keep the program from
/// ending with status 0.
pub(crate) fn with_stalled_clients(program: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.db");
    let mut receiver = Receiver::start(program, &file);
    let stalled = [
        "",
        "POST /webhooks/moduslink HTTP/1.1\r\nHost",
        "POST /webhooks/moduslink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf",
    ];
    let stalled = stalled.map(|bytes| {
        let mut client = TcpStream::connect(receiver.address).unwrap();
        client.write_all(bytes.as_bytes()).unwrap();
        client
    });
    let acknowledged = Mutex::new(HashSet::new());
    until("it acknowledges a delivery", || {
        deliver(&client(), receiver.address, &signers()[0], 0, &acknowledged).unwrap();
        !acknowledged.lock().unwrap().is_empty()
    });
    receiver.terminate();
    drop(stalled);
    let stored: Vec<_> = deliveries(&file).into_iter().map(|(_, body)| body).collect();
    assert_eq!(stored, Vec::from_iter(acknowledged.into_inner().unwrap()));
}

struct Receiver {
    process: Child,
    address: SocketAddr,
    _port: Port,
}

impl Receiver {
    /// Starts it, and waits until it answers: from then on it minds signals.
    fn start(program: &str, file: &Path) -> Self {
        let port = Port::take();
        let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
        let mut command = Command::new(program);
        command.env_clear().env("ADDR", address.to_string()).env("INBOX", file).env("RUST_LOG", "off");
        let process = command.stdin(Stdio::null()).spawn().unwrap();
        let mut receiver = Self { process, address, _port: port };
        let client = client();
        until("it answers", || {
            assert_eq!(receiver.process.try_wait().unwrap(), None, "it does not start");
            client.get(format!("http://{address}/")).call().is_ok()
        });
        receiver
    }

    /// SIGTERM. Returns once it has ended with status 0.
    fn terminate(&mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        until("it ends", || self.process.try_wait().unwrap().is_some());
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not so in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Each sender's path and signer.
fn signers() -> [(&'static str, Signer); 5] {
    let secret = |scheme, secret| Signer::new(scheme, [Secret::new(secret)]).unwrap();
    let private = PrivateKey::from_pem(demo_keys::FLUENT_PRIVATE).unwrap();
    [
        ("moduslink", secret(senders::moduslink(), demo_keys::MODUSLINK)),
        ("ewarehousing", secret(senders::ewarehousing(), demo_keys::EWAREHOUSING)),
        ("extend", secret(senders::extend(), demo_keys::EXTEND)),
        ("fluent", Signer::new(senders::fluent(), [private]).unwrap()),
        ("modern-dropship", secret(senders::modern_dropship(), demo_keys::MODERN_DROPSHIP)),
    ]
}

/// A body that no other number has, with the fields by which the senders tell their deliveries apart.
fn body(number: usize) -> String {
    format!(r#"{{"Id":"{number}","id":"{number}","_id":"{number}"}}"#)
}

fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    config.timeout_global(Some(PATIENCE)).build().into()
}

fn deliver(
    client: &ureq::Agent,
    address: SocketAddr,
    (path, signer): &(&str, Signer),
    number: usize,
    acknowledged: &Mutex<HashSet<String>>,
) -> Result<(), ureq::Error> {
    let body = body(number);
    let mut request = client.post(format!("http://{address}/webhooks/{path}"));
    for (name, value) in signer.headers(body.as_bytes(), SystemTime::now()).unwrap() {
        request = request.header(name, value);
    }
    match request.send(&body)?.status().as_u16() {
        200 => drop(acknowledged.lock().unwrap().insert(body)),
        // The database was slow. The sender would come again.
        status => assert_eq!(status, 503, "{path}"),
    }
    Ok(())
}

/// Sends deliveries of all senders until one meets no receiver.
fn send_until_it_is_gone(address: SocketAddr, next: &AtomicUsize, acknowledged: &Mutex<HashSet<String>>) {
    let (client, signers) = (client(), signers());
    for signer in signers.iter().cycle() {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if deliver(&client, address, signer, number, acknowledged).is_err() {
            return;
        }
    }
}

/// Stores deliveries before the receiver starts.
fn fill(file: &Path) {
    let [(_, signer), ..] = signers();
    let secret = Secret::new(demo_keys::MODUSLINK).dangerously_accept_placeholder();
    let verifier = Verifier::builder(senders::moduslink()).secret("demo", secret).build().unwrap();
    runtime().block_on(async {
        let inbox = inbox(file).await;
        let mut accepting = JoinSet::new();
        for number in 0..BEFORE {
            let headers = signer.headers(body(number).as_bytes(), SystemTime::now()).unwrap();
            let mut verification = verifier.begin_buffered(&headers, SystemTime::now()).unwrap();
            verification.update(body(number).into()).unwrap();
            let (inbox, verified) = (inbox.clone(), verification.finish().unwrap());
            accepting.spawn(async move { inbox.accept(&verified, &[("", ""); 0]).await.unwrap() });
        }
        accepting.join_all().await;
    });
}

fn all_are_handled(file: &Path) -> bool {
    let stats = runtime().block_on(async { inbox(file).await.stats().await.unwrap() });
    (stats.pending, stats.running) == (0, 0)
}

/// Each delivery in the inbox, with its body.
fn deliveries(file: &Path) -> Vec<(Entry, String)> {
    runtime().block_on(async {
        let inbox = inbox(file).await;
        let entries = inbox.list(&Filter::all(), 0, u32::MAX).await.unwrap();
        let mut deliveries = Vec::with_capacity(entries.len());
        for entry in entries {
            let body = inbox.show(entry.id).await.unwrap().unwrap().body;
            deliveries.push((entry, String::from_utf8(body.to_vec()).unwrap()));
        }
        deliveries
    })
}

async fn inbox(file: &Path) -> SqliteInbox {
    SqliteInbox::open(file).await.unwrap().store_timeout(PATIENCE).build().await.unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}
