use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tempfile::TempDir;

use super::{
    service::{OK, Service},
    serving::{Serving, delivery, eventually, get, replace, route, send},
};

const ADMIN: &str = "admin = \"127.0.0.1:0\"";

fn config(upstream: SocketAddr, routes: &str) -> String {
    format!("listen = \"127.0.0.1:0\"\n{ADMIN}\nupstream = \"http://{upstream}\"\n{routes}")
}

fn with_key_file() -> String {
    route("").replace("env = \"SECRET\"", "file = \"key\"")
}

#[test]
fn a_key_that_is_replaced_is_used_and_no_request_is_dropped() {
    let service = Service::start(OK);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("key"), super::serving::SECRET).unwrap();
    fs::write(folder.path().join("countersign.toml"), config(service.address, &with_key_file())).unwrap();
    let serving = Serving::start_in(folder, &[]);
    let address = serving.address;
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    // Whatever happens to the keys, each request has an answer, and each is one of these two.
    let caller = thread::spawn(move || {
        let mut seen = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let status = send(address, &delivery("", b"{}")).status;
            assert!(matches!(status, 200 | 401), "{status}");
            if seen.last() != Some(&status) {
                seen.push(status);
            }
        }
        seen
    });
    let status = || serving.send(&delivery("", b"{}")).status;
    eventually("the first key is used", || status() == 200);
    replace(&serving.file("key"), "Jk3NwYb6QfGt1XzUe5Va");
    eventually("the second key is used", || status() == 401);
    replace(&serving.file("key"), super::serving::SECRET);
    eventually("the first key is used again", || status() == 200);
    is_over.store(true, Ordering::Relaxed);
    assert_eq!(caller.join().unwrap().first(), Some(&200));
}

#[test]
fn a_half_written_configuration_changes_nothing_and_is_told() {
    let service = Service::start(OK);
    let folder = TempDir::new().unwrap();
    let whole = config(service.address, &route(""));
    fs::write(folder.path().join("countersign.toml"), &whole).unwrap();
    let serving = Serving::start_in(folder, &[]);
    let file = serving.file("countersign.toml");
    let told = || {
        let health = get(serving.admin(), "/health");
        assert_eq!(health.status, 200);
        String::from_utf8(health.body).unwrap()
    };
    let half = &whole[..whole.len() - 20];
    for (content, line) in [
        (half, "countersign.toml:"),
        ("", "route"),
        (&*whole.replace("SECRET", "MISSING"), "MISSING"),
        (&*whole.replace("[[route]]", "unknown = 1\n[[route]]"), "unknown"),
        (&*whole.replace("127.0.0.1:0", "127.0.0.1:1"), "restart"),
    ] {
        fs::write(&file, content).unwrap();
        eventually("health tells it", || told().contains(line));
        assert_eq!(serving.send(&delivery("", b"{}")).status, 200, "{content}");
    }
    serving.stderr.wait("the failure", |line| line.contains("ERROR") && line.contains("not reloaded"));
    fs::write(&file, whole.replace("/hook", "/other")).unwrap();
    eventually("the new route is there", || {
        let moved = String::from_utf8(delivery("", b"{}")).unwrap().replace("/hook", "/other");
        serving.send(moved.as_bytes()).status == 200
    });
    assert_eq!(serving.send(&delivery("", b"{}")).status, 404);
    eventually("health has nothing to tell", || told().contains("\"not_loaded\":null"));
}

#[test]
fn a_hang_up_loads_again() {
    let service = Service::start(OK);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("countersign.toml"), config(service.address, &route(""))).unwrap();
    let mut serving = Serving::start_in(folder, &[]);
    let loaded_at = || {
        let health: serde_json::Value =
            serde_json::from_slice(&get(serving.admin(), "/health").body).unwrap();
        health["configuration"]["loaded_at"].clone()
    };
    // The first look after the start loads once more.
    let mut before = loaded_at();
    eventually("the watcher has looked", || {
        let now = loaded_at();
        std::mem::replace(&mut before, now.clone()) == now && serving.stderr.all().contains("listening")
    });
    serving.signal("HUP");
    eventually("it has loaded again", || loaded_at() != before);
    assert!(serving.is_running());
    assert_eq!(serving.send(&delivery("", b"{}")).status, 200);
}
