use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::Uri;
use serde_json::{Value, json};

use crate::{escaped::is_shown, failure::Failure};

/// A delivery to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) method: String,
    pub(crate) url: Uri,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Delivery {
    /// The path and query.
    pub(crate) fn target(&self) -> &str {
        target(&self.url)
    }

    /// As JSON, which `countersign verify` reads.
    pub(crate) fn json(&self) -> Value {
        let mut value =
            json!({ "method": self.method, "url": self.url.to_string(), "headers": self.headers });
        let (name, body) = match std::str::from_utf8(&self.body) {
            Ok(text) => ("body", text.to_owned()),
            Err(_) => ("body_base64", BASE64_STANDARD.encode(&self.body)),
        };
        if let Value::Object(fields) = &mut value {
            fields.insert(name.to_owned(), body.into());
        }
        value
    }

    /// As a raw HTTP/1.1 request, which `countersign verify` reads.
    pub(crate) fn http(&self) -> Vec<u8> {
        let host = self.url.authority().map_or("localhost", |authority| authority.as_str());
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }

    /// As a command that sends it with curl, for a POSIX shell. It contains the signature, and no secret.
    pub(crate) fn curl(&self) -> Result<String, Failure> {
        let is_plain = |text: &&str| text.chars().all(|char| char == '\n' || is_shown(char));
        match std::str::from_utf8(&self.body).ok().filter(is_plain) {
            // Unlike --data-binary, it gives `@` no meaning.
            Some(text) => self.curl_sending("--data-raw", text),
            None => {
                let command = self.curl_sending("--data-binary", "@-")?;
                Ok(format!("echo {} | base64 -d | {command}", BASE64_STANDARD.encode(&self.body)))
            }
        }
    }

    /// As [`curl`](Self::curl), with the body from a file.
    pub(crate) fn curl_with(&self, file: &Path) -> Result<String, Failure> {
        self.curl_sending("--data-binary", &format!("@{}", file.display()))
    }

    fn curl_sending(&self, option: &str, data: &str) -> Result<String, Failure> {
        let url = self.url.to_string();
        let lines: Vec<String> = self.headers.iter().map(curl_header).collect();
        let headers = lines.iter().flat_map(|line| ["--header", line]);
        let words =
            ["curl", "--request", &self.method].into_iter().chain(headers).chain([option, data, &url]);
        shlex::try_join(words).map_err(Failure::new)
    }
}

/// An empty value would make curl leave the header out.
fn curl_header((name, value): &(String, String)) -> String {
    if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") }
}

/// The path and query of an address.
pub(crate) fn target(url: &Uri) -> &str {
    url.path_and_query().map_or("/", |target| target.as_str())
}
