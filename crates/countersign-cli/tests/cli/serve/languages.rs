//! The example `examples/serve`: `countersign serve` in front of services in other languages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use countersign::senders;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::serving::{Lines, SECRET, Serving, send, signed_by};
use crate::program::Program;

/// A service in another language, on a port that it chose.
struct Foreign {
    child: Child,
    address: String,
}

impl Foreign {
    fn start(interpreter: &Path, file: &str) -> Self {
        let mut child = Command::new(interpreter)
            .arg(example().join(file))
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let line = stdout.wait("where it listens", |line| line.starts_with("listening on "));
        Self { child, address: line.trim_start_matches("listening on ").to_owned() }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/serve")
}

/// Sends what the README sends, to `serve` in front of this service, and what its answers tell.
fn is_guarded(interpreter: &Path, file: &str) {
    let service = Foreign::start(interpreter, file);
    let folder = TempDir::new().unwrap();
    let config = fs::read_to_string(example().join("countersign.toml")).unwrap();
    let config = config.replace("127.0.0.1:3000", &service.address);
    let config = config.replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:9100", "127.0.0.1:0");
    fs::write(folder.path().join("countersign.toml"), config).unwrap();
    let serving = Serving::start_in(folder, &[("GITHUB_SECRET", SECRET)]);
    for more in [&[][..], &["--break", "body"]] {
        let url = format!("http://{}/webhooks/github", serving.address);
        let arguments = ["send", "--sender", "github", "--secret-env", "GITHUB_SECRET", &url];
        let run = Program::new(arguments).args(more.iter().copied()).env("GITHUB_SECRET", SECRET).run();
        assert_eq!(run.status, 0, "{run:?}");
    }
    serving.logged("the delivery", |line| line["verdict"] == "verified" && line["status"] == 200);
    serving.logged("the rejection", |line| line["reason"] == "signature_mismatch" && line["status"] == 401);

    // Bytes that are no text, more than one read gives.
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let head = format!(
        "POST /webhooks/github HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n",
        signed_by(senders::github(), &body),
        body.len()
    );
    let sha256 = base16ct::lower::encode_string(&Sha256::digest(&body));
    for is_new in [true, false] {
        let answer = serving.send(&[head.as_bytes(), &body].concat());
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        let wanted = json!({ "sender": "github", "bytes": 300_000, "sha256": sha256, "new": is_new });
        assert_eq!((answer.status, told), (200, wanted));
    }
    // Whoever comes around `serve` is told so.
    let answer = send(service.address.parse().unwrap(), &[head.as_bytes(), &body].concat());
    assert_eq!(answer.status, 500, "{answer:?}");
}

#[test]
fn node_gets_verified_deliveries_only() {
    let Some(node) = test_servers::find("node", &["/usr/bin".into()], "nodejs") else { return };
    is_guarded(&node, "node/service.mjs");
}

#[test]
fn python_gets_verified_deliveries_only() {
    let Some(python) = test_servers::find("python3", &["/usr/bin".into()], "python3") else { return };
    is_guarded(&python, "python/service.py");
}
