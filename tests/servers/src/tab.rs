#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that goes wrong ends in a panic"
)]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A page in a browser that a test looks at and types into. The browser ends when it is dropped.
#[derive(Debug)]
pub struct Tab {
    browser: Child,
    /// Messages of the debugging protocol are JSON and end in a zero byte.
    to_browser: ChildStdin,
    from_browser: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
    complaints: Vec<String>,
    _profile: TempDir,
}

const PATIENCE: Duration = Duration::from_secs(120);

impl Tab {
    pub(crate) fn open(program: &Path, url: &str) -> Self {
        let profile = TempDir::new().expect("a temporary folder");
        // The protocol's descriptors are 3 and 4.
        let mut browser = Command::new("/bin/sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 >/dev/null 2>/dev/null"])
            .arg(program)
            // It cannot make its sandbox as root. What it opens here is ours.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromium runs");
        let to_browser = browser.stdin.take().expect("it is piped");
        let from_browser = messages(browser.stdout.take().expect("it is piped"));
        let complaints = Vec::new();
        let mut tab = Self {
            browser,
            to_browser,
            from_browser,
            session: None,
            last_id: 0,
            complaints,
            _profile: profile,
        };
        tab.call(
            "Browser.grantPermissions",
            &json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }),
        );
        let target = tab.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached =
            tab.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Runtime", "Log", "Page"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        tab.call("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }));
        tab.go(url);
        tab
    }

    /// Opens another page.
    pub fn go(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
    }

    /// The value of an expression of JavaScript, after its promise if it is one. The page's policy does not bind it.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait_until(&mut self, expression: &str) {
        let started = Instant::now();
        while self.evaluate(expression) != true {
            if started.elapsed() > PATIENCE {
                let text = self.evaluate("document.body?.innerText.slice(0, 3000)");
                panic!("it never is that {expression}: {text} {:?}", self.complaints);
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Presses and releases a key: a character, or the name of a key such as `Enter`.
    pub fn press(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 => key,
            _ => "",
        };
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyDown", "key": key, "text": text }));
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyUp", "key": key }));
    }

    /// The size of the window, and whether the user prefers dark colours.
    pub fn look(&mut self, width: u32, height: u32, is_dark: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let value = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// What the page's console shows as an error: exceptions, violations of the policy, files that are not there.
    pub fn complaints(&mut self) -> &[String] {
        // What was reported before the answer is read with it.
        self.evaluate("0");
        &self.complaints
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to_browser.write_all(format!("{message}\0").as_bytes()).expect("the browser reads");
        loop {
            let answer = self.from_browser.recv_timeout(PATIENCE);
            let answer = answer.unwrap_or_else(|error| panic!("{method}: the page does not answer: {error}"));
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let is_error = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        if is_error {
            self.complaints.push(event["params"].to_string());
        }
    }
}

/// Reads messages until the browser ends.
fn messages(from_browser: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for bytes in BufReader::new(from_browser).split(0) {
            let message = serde_json::from_slice(&bytes.expect("the browser writes"));
            if sender.send(message.expect("the protocol is JSON")).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Drop for Tab {
    fn drop(&mut self) {
        // It ends with its pipe; this is for one that hangs.
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
