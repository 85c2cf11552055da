//! The command as its users run it: shops are added, deliver, and are revoked while it runs.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a failing test panics")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use countersign::{Secret, Signer, senders};

const BODY: &str = r#"{"id":1}"#;

fn command(database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-receiver"));
    command.arg("--database").arg(database).stderr(Stdio::null());
    command
}

fn add(database: &Path, lines: &str) {
    let mut adding =
        command(database).arg("add").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    adding.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(adding.wait().unwrap().success());
}

fn revoke(database: &Path, name: &str) -> bool {
    command(database).args(["revoke", name]).stdout(Stdio::null()).status().unwrap().success()
}

/// The server, stopped when the test ends.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(database: &Path, framework: &str) -> Self {
        let serve = ["serve", framework, "--address", "127.0.0.1:0"];
        let mut process = command(database).args(serve).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { process, address: address.trim().to_owned() }
    }

    /// Delivers to this shop, signed with this secret.
    fn deliver(&self, shop: &str, secret: &str) -> (u16, String) {
        let signer = Signer::new(senders::shopify(), [Secret::new(secret.to_owned())]).unwrap();
        let mut request = ureq::post(format!("{}/webhooks/{shop}", self.address))
            .config()
            .http_status_as_error(false)
            .build();
        for (name, value) in signer.headers(BODY.as_bytes(), SystemTime::now()).unwrap() {
            request = request.header(name, value);
        }
        let mut response = request.send(BODY).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// Waits until a delivery gets this status: the server sees changes four times a second.
    fn wait_for(&self, shop: &str, secret: &str, status: u16) {
        for _ in 0..1200 {
            if self.deliver(shop, secret).0 == status {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{shop} never got {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn secret(number: u32) -> String {
    format!("shpss_of_shop_{number}")
}

#[test]
fn ten_thousand_shops_are_added_deliver_and_are_revoked_while_the_server_runs() {
    for framework in ["axum", "actix"] {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shops.db");
        let lines: Vec<String> =
            (0..10_000).map(|number| format!("shop-{number} {}\n", secret(number))).collect();
        add(&database, &lines.concat());
        let server = Server::start(&database, framework);
        for number in (0..10_000).step_by(500) {
            let shop = format!("shop-{number}");
            assert_eq!(server.deliver(&shop, &secret(number)), (200, format!("8 bytes for {shop}\n")));
            assert_eq!(server.deliver(&shop, &secret(number + 1)), (401, String::new()));
        }
        assert_eq!(server.deliver("late", "shpss_of_late_shop"), (401, String::new()));

        assert!(revoke(&database, "shop-500"));
        server.wait_for("shop-500", &secret(500), 401);
        assert!(!revoke(&database, "shop-500"));
        add(&database, "late shpss_of_late_shop\nshop-1000 shpss_changed_since\n");
        server.wait_for("late", "shpss_of_late_shop", 200);
        server.wait_for("shop-1000", "shpss_changed_since", 200);
        assert_eq!(server.deliver("shop-1000", &secret(1000)).0, 401);
        assert_eq!(server.deliver("shop-1500", &secret(1500)).0, 200);
    }
}
