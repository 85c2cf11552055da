use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign::{Scheme, Secret, Signer, senders};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes on a machine under load.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const SECRET: &str = "9vTq2LxW7cRm4ZpK8sHd";

/// `countersign serve`, running.
pub(super) struct Serving {
    child: Child,
    pub(super) address: SocketAddr,
    pub(super) stdout: Arc<Lines>,
    pub(super) stderr: Arc<Lines>,
    folder: Arc<TempDir>,
}

/// What a stream of the program has said so far.
#[derive(Default)]
pub(super) struct Lines {
    told: Mutex<Told>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Told {
    lines: Vec<String>,
    is_over: bool,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// A route at `/hook` for the sender `extend`, whose deliveries [`signed`] makes.
pub(super) fn route(more: &str) -> String {
    format!(
        "[[route]]\npath = \"/hook\"\n{more}\n\
         senders = [{{ sender = \"extend\", keys = [{{ id = \"2026-q4\", secret = {{ env = \"SECRET\" }} }}] }}]\n"
    )
}

/// The headers of a delivery, as lines of HTTP.
pub(super) fn signed(body: &[u8]) -> String {
    signed_by(senders::extend(), body)
}

pub(super) fn signed_by(sender: Scheme, body: &[u8]) -> String {
    let signer = Signer::new(sender, [Secret::new(SECRET)]).unwrap();
    let headers = signer.headers(body, SystemTime::now()).unwrap();
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    lines.concat()
}

/// A delivery to `/hook`, with these lines beside those that it needs.
pub(super) fn delivery(lines: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /hook HTTP/1.1\r\nHost: example.com\r\n{}{lines}Content-Length: {}\r\nConnection: close\r\n\r\n",
        signed(body),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

impl Serving {
    /// In front of the service at `upstream`. `more` goes into the configuration before the routes.
    pub(super) fn start(upstream: SocketAddr, more: &str, routes: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = format!("listen = \"127.0.0.1:0\"\nupstream = \"http://{upstream}\"\n{more}\n{routes}");
        fs::write(folder.path().join("countersign.toml"), config).unwrap();
        Self::start_in(folder, &[])
    }

    /// With the file `countersign.toml` in this folder.
    pub(super) fn start_in(folder: impl Into<Arc<TempDir>>, variables: &[(&str, &str)]) -> Self {
        let folder = folder.into();
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--config", "countersign.toml"])
            .current_dir(folder.path())
            .env_clear()
            .env("SECRET", SECRET)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        let line = stderr.wait("where it listens", |line| line.contains("listen: listening on"));
        let address = line.rsplit(' ').next().unwrap().parse().unwrap();
        Self { child, address, stdout, stderr, folder }
    }

    /// The address of the administrator's port.
    pub(super) fn admin(&self) -> SocketAddr {
        let line = self.stderr.wait("the administrator's port", |line| line.contains("admin: listening on"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Its folder, for the next program.
    pub(super) fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends bytes, and reads the answer until the connection ends.
    #[track_caller]
    pub(super) fn send(&self, bytes: &[u8]) -> Answer {
        send(self.address, bytes)
    }

    /// The line of the access log that `is_it` chooses.
    pub(super) fn logged(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let line = self.stdout.wait(what, |line| is_it(&serde_json::from_str(line).unwrap()));
        serde_json::from_str(&line).unwrap()
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end, and returns the exit status.
    pub(super) fn end(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < PATIENCE, "the program does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Lines {
    pub(super) fn of(stream: impl Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::<Self>::default();
        let writer = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                writer.told.lock().unwrap().lines.push(line.unwrap());
                writer.more.notify_all();
            }
            writer.told.lock().unwrap().is_over = true;
            writer.more.notify_all();
        });
        lines
    }

    /// The first line that `is_it` chooses, once it is there.
    pub(super) fn wait(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        let mut told = self.told.lock().unwrap();
        loop {
            if let Some(line) = told.lines.iter().find(|line| is_it(line)) {
                return line.clone();
            }
            assert!(!told.is_over && began.elapsed() < PATIENCE, "not told: {what}; told: {told:#?}");
            (told, _) = self.more.wait_timeout(told, Duration::from_secs(1)).unwrap();
        }
    }

    pub(super) fn all(&self) -> String {
        self.told.lock().unwrap().lines.join("\n")
    }
}

#[track_caller]
pub(super) fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    Answer::parse(&exchange(address, bytes))
}

/// Sends bytes, and reads what comes back until the connection ends.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A request that is refused may not be read to its end.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    // A connection that is reset after the answer has told enough.
    let _ = stream.read_to_end(&mut answer);
    let _ = stream.shutdown(Shutdown::Both);
    answer
}

/// Fetches a path of the administrator's port.
pub(super) fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
}

impl Answer {
    #[track_caller]
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end else { panic!("no answer: {}", bytes.escape_ascii()) };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(super) fn has(&self, line: &str) -> bool {
        self.head.lines().any(|known| known.eq_ignore_ascii_case(line))
    }
}

/// Replaces a file by a rename, as it should be done.
pub(super) fn replace(path: &Path, content: &str) {
    let next = path.with_extension("next");
    fs::write(&next, content).unwrap();
    fs::rename(next, path).unwrap();
}

#[track_caller]
pub(super) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not so in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
