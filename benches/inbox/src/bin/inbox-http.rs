//! Servers that store each verified delivery before they answer it 200: in the inbox, and with bare inserts.
//!
//! All are the same axum server behind the same guard. Only the handler differs.
#![expect(clippy::cast_precision_loss, reason = "some thousands")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use axum::{Extension, Router, http::StatusCode, routing::post};
use countersign::VerifiedDelivery;
use countersign_inbox::SqliteInbox;
use countersign_tower::{VerifyWebhookLayer, accept_into};
use http_body_util::Full;
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use inbox::{Plain, Rate, Rates, Signed, signed, verifier};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

const ROUNDS: usize = 9;
const DELIVERIES: usize = 8192;
const CONNECTIONS: usize = 64;
/// The most rows to a commit of the bare inserts.
const ROWS: usize = 64;
/// The argument of each server, and its name.
const SERVERS: [(&str, &str); 3] = [
    ("bare", "floor: a handler that inserts in a plain loop, up to 64 rows a commit"),
    ("inbox", "the inbox: `accept_into`"),
    ("answer", "a handler that stores nothing"),
];

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let [_, handler, file] = &arguments[..] {
        return serve(handler, Path::new(file)).await;
    }
    let (mut wall, mut cpu) = (Rates::default(), Rates::default());
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        for (place, (handler, name)) in SERVERS.into_iter().enumerate() {
            let deliveries = signed(DELIVERIES, &format!("{handler} {round}"));
            let (mut server, address) = start(handler, &folder.path().join(handler));
            let (began, before) = (Instant::now(), cpu_seconds(&server));
            send(address, deliveries).await;
            wall.push(place, name, DELIVERIES as f64 / began.elapsed().as_secs_f64());
            cpu.push(place, name, DELIVERIES as f64 / (cpu_seconds(&server) - before));
            server.kill().expect("ours to kill");
            server.wait().expect("it ends");
        }
    }
    let mut rates: Vec<Rate> = wall.rates("SQLite, by the clock");
    rates.extend(cpu.rates("SQLite, by the server's CPU time"));
    in_process::report::write::<&str, _>("inbox", "inbox-http", ROUNDS, &[], &rates).expect("a report");
}

fn start(handler: &str, file: &Path) -> (Child, SocketAddr) {
    let mut command = Command::new(env::current_exe().expect("this program"));
    let mut server = command.arg(handler).arg(file).stdout(Stdio::piped()).spawn().expect("a process");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("the server's address");
    (server, line.trim().parse().expect("an address"))
}

/// Sends the deliveries over so many connections, each one after the other.
async fn send(address: SocketAddr, deliveries: Vec<Signed>) {
    let share = deliveries.len().div_ceil(CONNECTIONS);
    let mut deliveries = deliveries.into_iter();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let share: Vec<Signed> = deliveries.by_ref().take(share).collect();
        clients.spawn(async move {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.expect("a connection");
            tokio::spawn(connection);
            for (headers, body) in share {
                let mut request = Request::post("/").header("host", "localhost");
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let request = request.body(Full::new(Bytes::from(body))).expect("a request");
                let response = sender.send_request(request).await.expect("a response");
                assert_eq!(response.status(), StatusCode::OK);
            }
        });
    }
    clients.join_all().await;
}

/// The CPU time of a process, in the kernel's ticks of a hundredth of a second.
fn cpu_seconds(server: &Child) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = |field| fields.split_whitespace().nth(field).and_then(|ticks| ticks.parse::<f64>().ok());
    (ticks(11).expect("user time") + ticks(12).expect("system time")) / 100.0
}

async fn serve(handler: &str, file: &Path) {
    let route = match handler {
        "inbox" => {
            post(accept_into(SqliteInbox::open(file).await.expect("a file").build().await.expect("an inbox")))
        }
        "bare" => {
            let inserts = bare_inserts(file);
            post(move |Extension(delivery): Extension<VerifiedDelivery>| async move {
                let (answer, stored) = oneshot::channel();
                inserts.send((delivery, answer)).await.expect("a thread that inserts");
                stored.await.expect("it is stored");
                StatusCode::OK
            })
        }
        _ => post(async |_: Extension<VerifiedDelivery>| StatusCode::OK),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let app = Router::new().route("/", route).layer(VerifyWebhookLayer::new(verifier()));
    axum::serve(listener, app).await.expect("it serves");
}

type Insert = (VerifiedDelivery, oneshot::Sender<()>);

/// A thread that inserts whatever has come, in one transaction, and answers once it is committed.
fn bare_inserts(file: &Path) -> mpsc::Sender<Insert> {
    let (sender, mut receiver) = mpsc::channel::<Insert>(4096);
    let mut plain = Plain::open(file);
    std::thread::spawn(move || {
        let mut group = Vec::with_capacity(ROWS);
        while receiver.blocking_recv_many(&mut group, ROWS) > 0 {
            plain.insert(
                group
                    .iter()
                    .map(|(delivery, _)| (*delivery.identify().identity.as_bytes(), &delivery.body()[..])),
            );
            for (_, answer) in group.drain(..) {
                answer.send(()).expect("a handler that waits");
            }
        }
    });
    sender
}
