//! What the page's script asks for.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use bytes::Bytes;
use countersign::Scheme;
use futures_util::stream;
use http::{
    HeaderName, HeaderValue, StatusCode, Uri,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{
    Page,
    summary::{Detail, Summary},
};
use crate::{
    delivery::Delivery,
    failure::Failure,
    listen::{forward, resign::Edited},
};

/// Limit on the deliveries that one request sends again.
const MOST_REPLAYED: usize = 1000;

/// Limit on a body within a command, in bytes. A larger one is named by its file.
const MOST_IN_COMMAND: usize = 32 << 10;

/// Why a request of the page is not done. The message is for its user.
pub(super) struct Refused(Failure);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Json(json!({ "error": self.0.to_string() }))).into_response()
    }
}

pub(super) async fn settings(State(page): State<Page>) -> Json<Value> {
    let intake = &page.intake;
    let sender = |scheme: &Scheme| json!({ "name": scheme.name(), "header": scheme.header_name() });
    let senders: Vec<Value> = intake.judge.senders.iter().map(|(scheme, _)| sender(scheme)).collect();
    Json(json!({
        "receiver": format!("http://{}", page.receiver),
        "forward": intake.forward.as_ref().map(|forward| forward.url().to_string()),
        "senders": senders,
    }))
}

/// The number of the last change, each time that there is one.
pub(super) async fn changes(State(page): State<Page>) -> Response {
    let Ok(stream) = Arc::clone(&page.streams).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut changes = page.intake.deliveries.watch();
    changes.mark_changed();
    let events = stream::unfold((changes, stream), async |(mut changes, stream)| {
        changes.changed().await.ok()?;
        let number = *changes.borrow_and_update();
        Some((Ok::<_, Infallible>(Event::default().data(number.to_string())), (changes, stream)))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

/// The list, or what changed in it after a number.
pub(super) async fn deliveries(
    State(page): State<Page>,
    Query(After { after }): Query<After>,
) -> Json<Value> {
    let changes = page.intake.deliveries.changes_after(after);
    let list: Vec<Summary<'_>> = changes.entries.iter().map(Summary::new).collect();
    Json(json!({
        "last": changes.last,
        "oldest": changes.oldest,
        "disk_failure": changes.disk_failure,
        "deliveries": list,
    }))
}

pub(super) async fn delivery(State(page): State<Page>, Path(id): Path<u64>) -> Response {
    match page.intake.deliveries.get(id) {
        Some(entry) => Json(Detail::new(&entry)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Words {
    /// Separated by white space.
    words: String,
}

/// The ids of the deliveries that contain some words.
pub(super) async fn search(State(page): State<Page>, Query(Words { words }): Query<Words>) -> Json<Value> {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    let intake = Arc::clone(&page.intake);
    let found = spawn_blocking(move || intake.deliveries.search(&words)).await.unwrap_or_default();
    Json(json!({ "ids": found }))
}

#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    from: usize,
    length: Option<usize>,
}

/// A part of a body, or all of it, as bytes that no browser shows as a page.
pub(super) async fn body(
    State(page): State<Page>,
    Path(id): Path<u64>,
    Query(part): Query<Part>,
) -> Response {
    let intake = Arc::clone(&page.intake);
    let length = part.length.unwrap_or(usize::MAX);
    let body = spawn_blocking(move || intake.deliveries.body(id, part.from, length)).await;
    match body {
        Ok(Ok(Some(body))) => {
            let headers = [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment")];
            (headers, body).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The command that sends a delivery to the service with curl.
pub(super) async fn curl(State(page): State<Page>, Path(id): Path<u64>) -> Result<Json<Value>, Refused> {
    let (record, body) = page.intake.whole(id).await?;
    if record.withholds() {
        return Err(Failure::new("a secret or a signature made here does not belong into a command").into());
    }
    let url = match &page.intake.forward {
        Some(forward) => forward.address(&record.target).map_err(Failure::new)?,
        None => format!("http://{}{}", page.receiver, record.target).parse::<Uri>().map_err(Failure::new)?,
    };
    let is_large = body.len() > MOST_IN_COMMAND;
    let file = is_large.then(|| page.intake.deliveries.body_file(id)).transpose().map_err(Failure::new)?;
    let headers = forward::headers(&record.sent_headers()).map_err(Failure::new)?;
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = str::from_utf8(value.as_bytes()).ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let headers: Option<Vec<(String, String)>> = headers.iter().map(text).collect();
    let headers = headers.ok_or_else(|| Failure::new("a header is not text"))?;
    let delivery = Delivery { method: record.method.clone(), url, headers, body: body.to_vec() };
    let command = match file {
        Some(file) => delivery.curl_with(&file)?,
        None => delivery.curl()?,
    };
    Ok(Json(json!({ "command": command })))
}

#[derive(Deserialize)]
pub(super) struct Replayed {
    ids: Vec<u64>,
}

/// Sends deliveries to the service once more, one after another.
pub(super) async fn replay(
    State(page): State<Page>,
    Json(Replayed { ids }): Json<Replayed>,
) -> Result<Json<Value>, Refused> {
    if ids.len() > MOST_REPLAYED {
        return Err(Failure::new("that is more than 1000 deliveries").into());
    }
    let mut results = Vec::new();
    for id in ids {
        results.push(match page.intake.send_again(id).await {
            Ok(attempt) => json!({ "id": id, "status": attempt.status, "failure": attempt.failure }),
            Err(failure) => json!({ "id": id, "error": failure.to_string() }),
        });
    }
    Ok(Json(json!({ "results": results })))
}

#[derive(Deserialize)]
pub(super) struct Resigned {
    after: u64,
    sender: String,
    /// Without it, the body stays as it is.
    body: Option<String>,
    /// Name and value; without it, the headers stay as they are.
    headers: Option<Vec<(String, String)>>,
}

/// Signs an edited delivery now, and takes it as if it had arrived.
pub(super) async fn resign(
    State(page): State<Page>,
    Json(resigned): Json<Resigned>,
) -> Result<Json<Value>, Refused> {
    let Resigned { after, sender, body, headers } = resigned;
    let (record, kept) = page.intake.whole(after).await?;
    let headers = match headers {
        Some(headers) => headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect(),
        None => record.sent_headers(),
    };
    for (name, value) in &headers {
        let is_header = HeaderName::try_from(name).is_ok() && HeaderValue::from_bytes(value).is_ok();
        if !is_header {
            return Err(Failure::new(format_args!("{name} is no header: write name: value")).into());
        }
    }
    let edited = Edited {
        after,
        sender,
        method: record.method.clone(),
        target: record.target.clone(),
        headers,
        body: body.map_or(kept, Bytes::from),
    };
    let status = page.intake.resign(edited).await?;
    Ok(Json(json!({ "status": status })))
}
