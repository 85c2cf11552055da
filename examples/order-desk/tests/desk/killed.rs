//! The desk as a process of its own, killed at random instants.

use std::{
    collections::BTreeMap,
    env,
    io::ErrorKind,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use order_desk::Orders;
use test_servers::Port;

use crate::sender::{SENDERS, Sender};

/// How often the desk is killed, unless `ORDER_DESK_KILLS` says otherwise.
const KILLS: u32 = 10;
/// How many deliveries are under way at any time.
const PARALLEL: usize = 32;
/// How many orders of each sender the deliveries change.
const ORDERS: u64 = 8;
/// Shorter than a real one, so that a delivery whose handler was killed is soon handled again.
const LEASE: &str = "0.6";

const HANDLED: u16 = 200;

/// A desk that starts again on the same port with the same database.
struct Desk {
    address: SocketAddr,
    database: PathBuf,
    process: Child,
}

impl Desk {
    fn start(address: SocketAddr, database: &Path) -> Self {
        let mut desk = Self { address, database: database.to_owned(), process: spawn(address, database) };
        desk.wait_until_it_listens();
        desk
    }

    fn kill_and_restart(&mut self) {
        self.process.kill().unwrap(); // SIGKILL
        self.process.wait().unwrap();
        self.process = spawn(self.address, &self.database);
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(self.address).is_err() {
            assert!(self.process.try_wait().unwrap().is_none(), "the desk does not start");
            assert!(Instant::now() < deadline, "the desk does not listen");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(address: SocketAddr, database: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_order-desk"))
        .args(["serve", "--lease", LEASE, "--address", &address.to_string(), "--database"])
        .arg(database)
        .env_clear()
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

/// Which order a delivery changes, and its body; `number` makes it a delivery of its own.
fn delivery(sender: &Sender, number: u64) -> (String, String) {
    let order = format!("order-{}", number % ORDERS);
    let body = match sender.name {
        "moduslink" => {
            format!(
                r#"{{"eventType":"Orders.{number}","eventObjectId":"{order}","eventObjectName":"orders"}}"#
            )
        }
        "modern-dropship" => {
            format!(r#"{{"_id":"{number}","type":"order.fulfilled","data":{{"_id":"{order}"}}}}"#)
        }
        "fluent" => {
            format!(r#"{{"id":"{number}","name":"OrderShipped","entityType":"ORDER","entityRef":"{order}"}}"#)
        }
        "ewarehousing" => {
            format!(r#"{{"group":"order","action":"shipped","entityId":"{order}","body":{{"n":{number}}}}}"#)
        }
        "extend" => format!(
            r#"{{"Id":"{number}","Attempt":1,"Notifications":[{{"Action":"OrderPicked","Details":{{"OrderId":"{order}"}}}}]}}"#
        ),
        name => panic!("no body of {name}"),
    };
    (order, body)
}

/// Sends until the desk acknowledges, as a sender does; returns how many attempts were cut off.
fn deliver(client: &ureq::Agent, address: SocketAddr, sender: &Sender, body: &str) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut cut_off = 0;
    loop {
        let mut request = client.post(format!("http://{address}/webhooks/{}", sender.name));
        for (name, value) in sender.headers(body) {
            request = request.header(name, value);
        }
        match request.send(body) {
            Ok(response) if response.status() == HANDLED => return cut_off,
            // Claimed by an attempt that may be dead, or the database is busy.
            Ok(response) => assert!(matches!(response.status().as_u16(), 500 | 503), "{}", response.status()),
            Err(ureq::Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {} // it starts again
            Err(_) => cut_off += 1,
        }
        assert!(Instant::now() < deadline, "{} is never acknowledged: {body}", sender.name);
        thread::sleep(Duration::from_millis(10));
    }
}

fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(10)));
    config.build().into()
}

#[test]
fn no_acknowledged_change_is_missing_or_doubled_when_the_desk_is_killed_at_random_instants() {
    let kills = env::var("ORDER_DESK_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    println!("{kills} kills, seed {seed}");

    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("orders.db");
    let port = Port::take();
    let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
    let mut desk = Desk::start(address, &database);

    let (next, cut_off) = (AtomicU64::new(0), AtomicU64::new(0));
    let killing = AtomicBool::new(true);
    let acknowledged = Mutex::new(BTreeMap::<(String, String), i64>::new());
    let sent = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                let client = client();
                while killing.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let sender = &SENDERS[usize::try_from(number).unwrap() % SENDERS.len()];
                    let (order, body) = delivery(sender, number);
                    cut_off.fetch_add(deliver(&client, address, sender, &body), Ordering::Relaxed);
                    *acknowledged.lock().unwrap().entry((sender.name.to_owned(), order)).or_default() += 1;
                    sent.lock().unwrap().push((sender, body));
                }
            });
        }
        for _ in 0..kills {
            thread::sleep(Duration::from_millis(random.u64(20..500)));
            desk.kill_and_restart();
        }
        killing.store(false, Ordering::Relaxed);
    });

    // What was acknowledged before may come once more.
    let (sent, acknowledged) = (sent.into_inner().unwrap(), acknowledged.into_inner().unwrap());
    let client = client();
    for (sender, body) in sent.iter().rev().take(200) {
        assert_eq!(deliver(&client, address, sender, body), 0);
    }
    desk.process.kill().unwrap();
    desk.process.wait().unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let orders = runtime.block_on(async { Orders::open_existing(&database).await?.all().await }).unwrap();
    let recorded: BTreeMap<_, _> =
        orders.into_iter().map(|order| ((order.sender, order.id), order.changes)).collect();
    let cut_off = cut_off.into_inner();
    println!("{} deliveries acknowledged, {cut_off} attempts cut off", sent.len());
    assert_eq!(recorded, acknowledged, "seed {seed}");
    assert!(cut_off >= u64::from(kills), "{cut_off} attempts cut off: the kills met no load");
}
