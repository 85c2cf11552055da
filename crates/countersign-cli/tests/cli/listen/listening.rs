use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign::{Secret, Signer, senders};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Answer, request};
use crate::named::SECRET;

/// A `countersign listen` that runs, with a folder of its own and ports that are free.
pub(crate) struct Listening {
    process: Child,
    pub(crate) receiver: SocketAddr,
    pub(crate) page: SocketAddr,
    pub(crate) token: String,
    /// Its standard output so far.
    lines: Arc<Mutex<Vec<String>>>,
    /// The folder in which it runs.
    folder: Arc<TempDir>,
}

const PATIENCE: Duration = Duration::from_secs(120);

impl Listening {
    /// For GitHub's deliveries, with these arguments as well.
    pub(crate) fn start<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::in_folder(Arc::new(TempDir::new().unwrap()), arguments)
    }

    /// Forwards to this address.
    pub(crate) fn forwarding(url: &str) -> Self {
        Self::start(["--forward", url])
    }

    pub(crate) fn in_folder<A: Into<OsString>>(
        folder: Arc<TempDir>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["listen", "--sender", "github", "--secret-env", "SECRET"]);
        command.args(arguments.into_iter().map(Into::into));
        Self::run(command, folder)
    }

    /// Adds what every test needs to the arguments, and waits until it listens.
    pub(crate) fn run(mut command: Command, folder: Arc<TempDir>) -> Self {
        command.args(["--address", "127.0.0.1:0", "--page", "127.0.0.1:0"]);
        command.env_clear().env("SECRET", SECRET).env("GITHUB_SECRET", SECRET).current_dir(folder.path());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (mut receiver, mut page) = (None, None);
        while page.is_none() {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let mut stderr = String::new();
                process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
                panic!("it ended: {stderr}");
            }
            let url = line.split_once("http://").map(|(_, url)| url.trim_end().to_owned());
            match line.split(' ').next().unwrap() {
                "receives" => receiver = url,
                "page" => page = url,
                _ => {}
            }
            lines.lock().unwrap().push(line);
        }
        let log = Arc::clone(&lines);
        thread::spawn(move || {
            // A hostile line may break only the test that looks at it.
            for line in stdout.split(b'\n').map_while(Result::ok) {
                log.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let page = page.unwrap();
        let (page, token) = page.split_once("/#").unwrap();
        let receiver = receiver.unwrap().parse().unwrap();
        Self { process, receiver, page: page.parse().unwrap(), token: token.to_owned(), lines, folder }
    }

    pub(crate) fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    /// The folder in which it keeps deliveries.
    pub(crate) fn kept(&self) -> std::path::PathBuf {
        self.folder.path().join(".countersign")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/#{}", self.page, self.token)
    }

    /// Sends a delivery that GitHub signed.
    pub(crate) fn deliver(&self, target: &str, body: &[u8]) -> Answer {
        self.deliver_with(target, &[], body)
    }

    pub(crate) fn deliver_with(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let signed = signature(body);
        let signed: Vec<(&str, &str)> =
            signed.iter().map(|(name, value)| (&**name, &**value)).chain(headers.iter().copied()).collect();
        request(self.receiver, &format!("POST {target}"), &signed, body)
    }

    /// Sends a delivery with a signature of the right form by nobody.
    pub(crate) fn forge(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let signature = format!("sha256={}", "0".repeat(64));
        let headers: Vec<(&str, &str)> =
            [("x-hub-signature-256", &*signature)].into_iter().chain(headers.iter().copied()).collect();
        request(self.receiver, &format!("POST {target}"), &headers, body)
    }

    /// Asks the page's API.
    pub(crate) fn get(&self, path: &str) -> Answer {
        request(self.page, &format!("GET /api/{path}"), &[("X-Countersign-Token", &self.token)], b"")
    }

    pub(crate) fn post(&self, path: &str, value: &Value) -> Answer {
        let headers = [("X-Countersign-Token", &*self.token), ("Content-Type", "application/json")];
        request(self.page, &format!("POST /api/{path}"), &headers, value.to_string().as_bytes())
    }

    pub(crate) fn replay(&self, ids: &[u64]) -> Value {
        self.post("replay", &json!({ "ids": ids })).json()["results"].clone()
    }

    /// The list, the oldest first.
    pub(crate) fn list(&self) -> Vec<Value> {
        self.get("deliveries").json()["deliveries"].as_array().unwrap().clone()
    }

    pub(crate) fn detail(&self, id: u64) -> Value {
        self.get(&format!("deliveries/{id}")).json()
    }

    /// Waits until a line of the terminal contains the text, and returns it.
    pub(crate) fn line_with(&self, text: &str) -> String {
        let find = || self.lines().into_iter().find(|line| line.contains(text));
        wait_for(find, &|| format!("no line with {text}: {:?}", self.lines()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until something is so.
    pub(crate) fn until<T>(&self, what: &str, find: impl FnMut() -> Option<T>) -> T {
        wait_for(find, &|| format!("never {what}: {:?}", self.lines()))
    }

    /// Interrupts it as Ctrl-C does, waits for its end, and returns its status and standard error.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut stderr = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.process.wait().unwrap().code(), stderr)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The headers that GitHub would send with a body.
pub(crate) fn signature(body: &[u8]) -> Vec<(String, String)> {
    let signer = Signer::new(senders::github(), [Secret::new(SECRET)]).unwrap();
    signer.headers(body, SystemTime::now()).unwrap()
}

/// The size of all files in a folder, in bytes.
pub(crate) fn size(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn wait_for<T>(mut find: impl FnMut() -> Option<T>, message: &dyn Fn() -> String) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{}", message());
        thread::sleep(Duration::from_millis(20));
    }
}
