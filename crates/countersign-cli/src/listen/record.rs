use std::time::SystemTime;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::instant;

/// A delivery that was received, without its body, and what became of it. It contains no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Counted from 1, also over restarts.
    pub(crate) id: u64,
    /// In milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) origin: Origin,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<Header>,
    pub(crate) body_length: usize,
    pub(crate) verdict: Verdict,
    /// The newest last.
    pub(crate) attempts: Vec<Attempt>,
}

/// Where a delivery came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    Sender,
    /// Signed here, for a test, after this delivery.
    Resigned(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) value: HeaderContent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HeaderContent {
    Text(String),
    /// In base64, because it is not text.
    Bytes(String),
    /// Neither kept nor shown: a secret token, or a signature that was made here.
    Withheld(()),
}

/// What the verifier said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) is_verified: bool,
    pub(crate) sender: Option<String>,
    pub(crate) key: Option<String>,
    /// The rejection's kind.
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) causes: Vec<Cause>,
    /// Whether the causes are proven.
    pub(crate) is_proven: bool,
    /// What to do about the reason.
    pub(crate) advice: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) hypothesis: String,
    pub(crate) message: String,
}

/// One attempt to hand a delivery to the service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// In milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) is_replay: bool,
    pub(crate) took_ms: u64,
    pub(crate) status: Option<u16>,
    /// Why there is no answer, or none that can be passed on.
    pub(crate) failure: Option<String>,
    pub(crate) headers: Vec<Header>,
    /// The start of the answer's body, in base64.
    pub(crate) body: String,
    pub(crate) body_length: usize,
}

/// Limit on the attempts that are kept of a delivery: the first, and the last ones.
const MOST_ATTEMPTS: usize = 20;

impl Record {
    pub(crate) fn instant(&self) -> SystemTime {
        instant::from_millis(self.at)
    }

    pub(crate) fn add(&mut self, attempt: Attempt) {
        if self.attempts.len() >= MOST_ATTEMPTS {
            self.attempts.remove(1);
        }
        self.attempts.push(attempt);
    }

    /// Whether something that the sender sent is not here.
    pub(crate) fn withholds(&self) -> bool {
        self.headers.iter().any(|header| matches!(header.value, HeaderContent::Withheld(())))
    }

    /// The headers as they were sent, without those that are withheld.
    pub(crate) fn sent_headers(&self) -> Vec<(String, Vec<u8>)> {
        let sent = |header: &Header| Some((header.name.clone(), header.value.bytes()?));
        self.headers.iter().filter_map(sent).collect()
    }
}

impl HeaderContent {
    pub(crate) fn new(value: &[u8]) -> Self {
        match str::from_utf8(value) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(BASE64_STANDARD.encode(value)),
        }
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Bytes(text) => BASE64_STANDARD.decode(text).ok(),
            Self::Withheld(()) => None,
        }
    }
}
