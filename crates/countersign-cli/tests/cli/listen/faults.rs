//! What goes wrong around it: the disk, the service, and senders.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
    thread,
};

use tempfile::TempDir;

use super::{
    http::{raw, request},
    listening::Listening,
    service::Service,
};

/// Programs may write no files larger than 32 KiB in this shell.
const SMALL_FILES: &str = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";

fn with_small_files(folder: Arc<TempDir>, url: &str) -> Listening {
    let mut command = Command::new("/bin/bash");
    command.args(["-c", SMALL_FILES, env!("CARGO_BIN_EXE_countersign")]);
    command.args(["listen", "--sender", "github", "--secret-env", "SECRET", "--forward", url]);
    Listening::run(command, folder)
}

/// A tiny disk, where this may be mounted.
struct Disk<'d>(&'d Path);

impl<'d> Disk<'d> {
    fn mount(at: &'d Path) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(at).output().unwrap();
        if !mounted.status.success() {
            eprintln!("SKIPPED: no tmpfs can be mounted: {}", String::from_utf8_lossy(&mounted.stderr));
            return None;
        }
        Some(Self(at))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l".as_ref(), self.0.as_os_str()]).status();
    }
}

#[test]
fn a_full_disk_is_reported_and_every_delivery_is_forwarded_and_shown() {
    let folder = Arc::new(TempDir::new().unwrap());
    let small = folder.path().join("small");
    let Some(_disk) = Disk::mount(&small) else { return };
    let service = Service::start(200);
    let listening = Listening::in_folder(
        Arc::clone(&folder),
        ["--forward", &service.url("/"), "--folder", "small/kept", "--keep", "8"],
    );
    // Three of them do not fit.
    let body = vec![b'x'; 100 << 10];
    for place in 0..4 {
        let answer = listening.deliver(&format!("/{place}"), &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(service.got().len(), 4);
    let line = listening.line_with("error: cannot keep deliveries in small/kept: ");
    assert!(line.contains("No space left on device"), "{line}");
    let list = listening.until("kept what fits", || {
        let list = listening.list();
        list[1]["is_kept"].as_bool().unwrap().then_some(list)
    });
    assert_eq!((&list[2]["is_kept"], &list[3]["is_kept"]), (&false.into(), &false.into()));
    let failure = listening.get("deliveries").json()["disk_failure"].clone();
    assert!(failure.as_str().unwrap().contains("No space left"), "{failure}");
    // What is not on disk is in memory.
    assert_eq!(listening.get("deliveries/4/body").body, body);
    assert_eq!(listening.replay(&[4])[0]["status"], 200);

    // Once there is room, all are kept.
    let remount = ["-o", "remount,size=4m"];
    assert!(Command::new("mount").args(remount).arg(&small).status().unwrap().success());
    assert_eq!(listening.deliver("/", b"{}").status, 200);
    listening.line_with("deliveries are kept again");
    assert!(listening.list().iter().all(|delivery| delivery["is_kept"] == true));
    assert_eq!(listening.get("deliveries/4/body").body, body);
    assert_eq!(listening.stop(), (Some(0), String::new()));
}

#[test]
fn a_delivery_that_cannot_be_written_is_forwarded_and_shown() {
    let folder = Arc::new(TempDir::new().unwrap());
    let service = Service::start(200);
    let listening = with_small_files(Arc::clone(&folder), &service.url("/"));
    assert_eq!(listening.deliver("/", b"{}").status, 200);
    listening.until("kept", || (listening.list()[0]["is_kept"] == true).then_some(()));
    let large = vec![b'x'; 100 << 10];
    assert_eq!(listening.deliver("/", &large).status, 200);
    assert!(
        listening.line_with("error: cannot keep deliveries in .countersign: ").contains("File too large")
    );
    assert_eq!(service.got()[1].body, large);
    assert_eq!(listening.get("deliveries/2/body").body, large);
    // No half of a file stays.
    let names = || std::fs::read_dir(listening.kept()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names().all(|name| name != "00000002.body" && name != "00000002.body.part"), "{:?}", names());
    assert_eq!(listening.stop(), (Some(0), String::new()));

    let listening = with_small_files(folder, &service.url("/"));
    let ids: Vec<_> = listening.list().iter().map(|delivery| delivery["id"].clone()).collect();
    assert_eq!(ids, [1]);
}

#[test]
fn a_service_that_is_away_is_502_and_says_why() {
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", away.local_addr().unwrap());
    drop(away);
    let listening = Listening::forwarding(&url);
    assert_eq!(listening.deliver("/", b"{}").status, 502);
    assert!(listening.line_with("#1 ").contains("Connection refused"));
    let failure = listening.list()[0]["failure"].clone();
    assert!(failure.as_str().unwrap().contains("Connection refused"), "{failure}");
}

#[test]
fn a_slow_service_is_504_and_delays_no_other_delivery() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let listening = Listening::start(["--forward", &url, "--timeout", "2"]);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| listening.deliver("/", b"{}"));
        let connected = silent.accept().unwrap();
        // It is answered while the other one waits.
        assert_eq!(listening.forge("/", &[], b"{}").status, 401);
        let answer = waiting.join().unwrap();
        assert_eq!(answer.status, 504, "{answer:?}");
        drop(connected);
    });
    assert!(listening.line_with("#1 ").contains("-> no answer within 2 s"));
}

#[test]
fn a_service_that_answers_garbage_breaks_off_or_never_ends_is_502() {
    let garbage: [&[u8]; 4] = [
        b"\x1b[2Jnonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    ];
    for bytes in garbage {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let listening = Listening::forwarding(&format!("http://{}/", server.local_addr().unwrap()));
        let answering = thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut request = [0; 1 << 12];
            assert_ne!(stream.read(&mut request).unwrap(), 0);
            stream.write_all(bytes).unwrap();
        });
        assert_eq!(listening.deliver("/", b"{}").status, 502, "{:?}", String::from_utf8_lossy(bytes));
        answering.join().unwrap();
        assert!(!listening.line_with("#1 ").contains('\u{1b}'));
    }
    let endless = Service::answering(|_| axum::response::Response::new(vec![b'x'; 9 << 20].into()));
    let listening = Listening::forwarding(&endless.url("/"));
    assert_eq!(listening.deliver("/", b"{}").status, 502);
    assert!(listening.line_with("#1 ").contains("the answer is larger than 8 MiB"));
}

#[test]
fn a_body_over_the_limit_is_refused_and_shown() {
    let service = Service::start(200);
    let listening = Listening::start(["--forward", &service.url("/"), "--body-limit", "1"]);
    let limit = vec![b'x'; 1 << 20];
    assert_eq!(listening.deliver("/", &limit).status, 200);
    let announced = request(listening.receiver, "POST /", &[("Content-Length", "1048577")], b"x");
    assert_eq!(announced.status, 413);
    let mut chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n".to_vec();
    chunked.extend_from_slice(&limit);
    chunked.extend_from_slice(b"x\r\n0\r\n\r\n");
    assert_eq!(raw(listening.receiver, &chunked).status, 413);
    let reasons: Vec<_> = listening.list().iter().map(|delivery| delivery["reason"].clone()).collect();
    assert_eq!(reasons, [serde_json::Value::Null, "body_too_large".into(), "body_too_large".into()]);
    assert_eq!(service.got().len(), 1);
}

#[test]
fn callers_that_smuggle_dribble_or_hang_up_are_refused_and_stop_nobody() {
    let service = Service::start(200);
    let listening = Listening::forwarding(&service.url("/"));
    // They announce more than there is memory for all of them, and send a byte.
    let dribblers: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(listening.receiver).unwrap();
            stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n{").unwrap();
            stream
        })
        .collect();
    for request in [
        &b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"[..],
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n folded: 1\r\n\r\n",
        b"\x00\xff\x1b[2J\r\n\r\n",
    ] {
        let answer = raw(listening.receiver, request);
        assert_eq!(answer.status, 400, "{:?}", String::from_utf8_lossy(request));
    }
    assert_eq!(listening.deliver("/", b"{}").status, 200);
    assert_eq!(service.got().len(), 1);
    drop(dribblers);
}
