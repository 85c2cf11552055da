use std::{fmt, str::Utf8Error};

use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// Why a verified delivery is not the requested event.
///
/// `Display` names the place in the body and what was expected there: `Notifications[1].Action: invalid type: null, expected a
/// string at line 1 column 70`.
///
/// An error ends up in a log, and a body may hold personal data, so an error never quotes a value: `serde_json`'s messages
/// are cut down to the value's kind, and the message of a custom `Deserialize` is withheld. A key is shown if it has at most 64
/// ASCII letters, digits, `_`, `-`, `.` and `$`, and as `?` otherwise. A path of more than 16 parts is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// Another sender's scheme verified the delivery: the route is wired to the wrong event.
    OtherScheme {
        /// The name of the scheme that verified the delivery.
        verified: String,
        /// The names of the event's schemes.
        accepted: &'static [&'static str],
    },
    /// The body is not UTF-8, as RFC 8259, 8.1, requires of JSON.
    NotUtf8 {
        /// How many bytes come before the first wrong one.
        valid: usize,
    },
    /// The body is not JSON, or not the event's JSON.
    Json {
        /// The place in the body: `Notifications[1].Action`, or `.` for the body itself.
        path: String,
        /// What was expected, the kind of value found, and its line and column.
        reason: String,
    },
}

impl EventError {
    /// The status to answer with: 422 for a body that is not the event's, 500 for [`OtherScheme`](Self::OtherScheme), which is
    /// the receiver's own mistake.
    pub fn status(&self) -> u16 {
        match self {
            Self::OtherScheme { .. } => 500,
            Self::NotUtf8 { .. } | Self::Json { .. } => 422,
        }
    }

    pub(crate) fn not_utf8(error: Utf8Error) -> Self {
        Self::NotUtf8 { valid: error.valid_up_to() }
    }

    pub(crate) fn json(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self::Json { path: shown_path(error.path()), reason: shown_reason(error.inner()) }
    }

    /// Puts the path inside of this field.
    pub(crate) fn within(self, field: &str) -> Self {
        let field = if is_plain(field) { field } else { "?" };
        match self {
            Self::Json { path, reason } if path == ROOT => Self::Json { path: field.to_owned(), reason },
            Self::Json { path, reason } if path.starts_with('[') => {
                Self::Json { path: format!("{field}{path}"), reason }
            }
            Self::Json { path, reason } => Self::Json { path: format!("{field}.{path}"), reason },
            other => other,
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherScheme { verified, accepted } => write!(
                f,
                "the delivery was verified under the scheme {verified}, but the event is one of {}",
                accepted.join(", ")
            ),
            Self::NotUtf8 { valid } => write!(f, "the body is not UTF-8 after byte {valid}"),
            Self::Json { path, reason } if path == ROOT => f.write_str(reason),
            Self::Json { path, reason } => write!(f, "{path}: {reason}"),
        }
    }
}

impl std::error::Error for EventError {}

/// The path of the body itself.
const ROOT: &str = ".";

const MOST_SEGMENTS: usize = 16;
const LONGEST_KEY: usize = 64;

/// Keys may be the sender's free choice: in a log, none may end a line or fill it.
fn shown_path(path: &Path) -> String {
    let mut shown = String::new();
    for (place, segment) in path.iter().enumerate() {
        if place == MOST_SEGMENTS {
            shown.push('…');
            break;
        }
        let key = match segment {
            Segment::Seq { index } => {
                shown.push_str(&format!("[{index}]"));
                continue;
            }
            Segment::Unknown => continue,
            Segment::Map { key } | Segment::Enum { variant: key } if is_plain(key) => key,
            Segment::Map { .. } | Segment::Enum { .. } => "?",
        };
        if !shown.is_empty() {
            shown.push('.');
        }
        shown.push_str(key);
    }
    if shown.is_empty() { ROOT.to_owned() } else { shown }
}

fn is_plain(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$".contains(&byte);
    (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(plain)
}

/// `serde_json`'s message, without the values that it quotes.
fn shown_reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if error.classify() != Category::Data {
        return message;
    }
    let place = match error.line() {
        0 => String::new(),
        line => format!(" at line {line} column {}", error.column()),
    };
    let message = message.strip_suffix(&place).unwrap_or(&message);
    // These two quote the type's field, not the body's.
    if message.starts_with("missing field `") || message.starts_with("duplicate field `") {
        return format!("{message}{place}");
    }
    // What is expected stands last and is the type's: a quoted value that has the same words in it comes before.
    let parts = message.rsplit_once(", expected ");
    let known = parts.and_then(|(found, expected)| {
        let start = STARTS.into_iter().find(|start| found.starts_with(start))?;
        Some((start, found.get(start.len()..)?, expected))
    });
    let Some((start, found, expected)) = known else {
        return format!("the value does not fit its type{place}");
    };
    let kind = found.strip_prefix(": ").and_then(|found| KINDS.iter().find(|kind| is_of_kind(found, kind)));
    let kind = kind.map(|kind| format!(": {kind}")).unwrap_or_default();
    format!("{start}{kind}, expected {expected}{place}")
}

/// How `serde`'s messages on a value begin.
const STARTS: [&str; 5] =
    ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];

/// The kinds of JSON values, as `serde_json` names them.
const KINDS: [&str; 7] = ["null", "boolean", "integer", "floating point", "string", "sequence", "map"];

/// Whether this is the kind alone, or the kind before a quoted value.
fn is_of_kind(found: &str, kind: &str) -> bool {
    found
        .strip_prefix(kind)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(" `") || rest.starts_with(" \""))
}
