//! Captured requests, in the formats in which people have them.

mod curl;
mod header_list;
mod http;
mod json;
mod kept;
mod shell;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    time::SystemTime,
};

use clap::ValueEnum;

use crate::{failure::Failure, read};

/// A request that somebody captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Captured {
    /// Its place among all requests of the capture, from 1.
    pub(crate) entry: usize,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// When it arrived, if the capture says so.
    pub(crate) at: Option<SystemTime>,
    /// What the capture lacks.
    pub(crate) note: Option<&'static str>,
}

/// How a capture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A raw HTTP request: its head, an empty line, its body
    Http,
    /// A command line of curl
    Curl,
    /// JSON: a HAR, an export of webhook.site or of ngrok, or what `countersign sign --json` prints
    Json,
}

/// Limit on a capture that is one request, in bytes.
const REQUEST_LIMIT: u64 = 64 << 20;

/// Limit on a capture in JSON, in bytes. It is read as a stream, and only bodies of requests are kept.
const JSON_LIMIT: u64 = 512 << 20;

/// Reads the deliveries of a capture: in JSON, all its requests but GET and the like, which have no body.
pub(crate) fn read(path: &Path, format: Option<Format>) -> Result<Vec<Captured>, Failure> {
    let wrong = |reason: &str| Failure::new(format_args!("{}: {reason}", path.display()));
    let mut reader = BufReader::with_capacity(1 << 16, read::open(path)?.take(JSON_LIMIT));
    let start = reader.fill_buf().map_err(|error| wrong(&error.to_string()))?;
    let format = format.unwrap_or_else(|| Format::of(start));
    if format == Format::Json {
        let captured = json::read(&mut reader);
        return captured.map_err(|reason| match reader.get_ref().limit() {
            0 => wrong("it is larger than 512 MiB"),
            _ => wrong(&reason),
        });
    }
    let bytes = read::at_most(reader, REQUEST_LIMIT).map_err(|error| wrong(&error.to_string()))?;
    let captured = if format == Format::Curl { curl::parse(&bytes) } else { http::parse(&bytes) };
    captured.map(|captured| vec![captured]).map_err(|reason| wrong(&reason))
}

impl Format {
    fn of(start: &[u8]) -> Self {
        let start = start.trim_ascii_start();
        match start {
            [b'{' | b'[', ..] => Self::Json,
            [b'c', b'u', b'r', b'l', b' ' | b'\t' | b'\\', ..] => Self::Curl,
            _ => Self::Http,
        }
    }
}

/// The path and query of an address or of a request's target.
fn target(url: &str) -> Result<String, String> {
    let uri: ::http::Uri = url.parse().map_err(|error| format!("the address is not a URL: {error}"))?;
    Ok(uri.path_and_query().map_or("/", |target| target.as_str()).to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLES: &[&str] = &[
        "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/2\nTransfer-Encoding: chunked\n\n2\r\nab\r\n0\r\n\r\n",
        "curl -X POST -H 'A: b' --data-raw '{}' \"http://x/?y\" \\\n -sS",
        r#"{"log":{"entries":[{"startedDateTime":"2019-10-03T19:06:35Z","request":{"method":"POST","url":"http://x/","headers":[{"name":"A","value":"b"}],"postData":{"text":"e30=","encoding":"base64"},"bodySize":2}}]}}"#,
        r#"{"data":[{"method":"POST","url":"http://x/","headers":{"a":["b","c"]},"content":"{}","created_at":"2019-10-03 19:06:35"}]}"#,
        r#"{"requests":[{"start":"2019-10-03T19:06:35Z","request":{"method":"POST","uri":"/","headers":{"A":["b"]},"raw":"e30="}}]}"#,
        r#"{"method":"POST","url":"http://x/","headers":[["A","b"]],"body_base64":"e30="}"#,
        r#" [{"method":"POST","url":"http://x/","headers":{"A":"b"},"body":"{}"}]"#,
    ];

    /// What a program reads is in no known format.
    fn read_in_every_format(bytes: &[u8]) -> usize {
        let _ = Format::of(bytes);
        let results = [
            http::parse(bytes).map(|_| 1),
            curl::parse(bytes).map(|_| 1),
            json::read(&mut &*bytes).map(|list| list.len()),
        ];
        results.into_iter().flatten().sum()
    }

    #[test]
    fn each_sample_is_read_in_its_format_alone() {
        for sample in SAMPLES {
            assert_eq!(read_in_every_format(sample.as_bytes()), 1, "{sample}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_in_every_format(&bytes);
        }

        #[test]
        fn no_change_of_a_capture_panics(
            sample in prop::sample::select(SAMPLES),
            at in any::<prop::sample::Index>(),
            bytes in prop::collection::vec(any::<u8>(), 0..4),
            removed in 0_usize..40,
        ) {
            let mut changed = sample.as_bytes().to_vec();
            let at = at.index(changed.len());
            let end = at.saturating_add(removed).min(changed.len());
            changed.splice(at..end, bytes);
            read_in_every_format(&changed);
        }

        #[test]
        fn no_words_for_curl_panic(words in "curl( ('[^']*'|\"[^\"]*\"|-[a-zA-Z]|--[a-z-]+|[^ ]*)){0,8}") {
            read_in_every_format(words.as_bytes());
        }
    }
}
