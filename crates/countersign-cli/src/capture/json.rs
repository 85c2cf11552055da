use std::io::BufRead;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::{
    Captured,
    header_list::HeaderList,
    http,
    kept::{Item, Kept},
    target,
};
use crate::instant;

/// Any of the shapes, told apart by their fields.
#[derive(Deserialize)]
#[serde(expecting = "a HAR, or an export of webhook.site or ngrok")]
struct Document {
    /// A HAR.
    log: Option<Log>,
    /// webhook.site's list.
    data: Option<Kept<Request>>,
    /// ngrok's list.
    requests: Option<Kept<NgrokEntry>>,
    /// One entry of ngrok.
    request: Option<NgrokRequest>,
    start: Option<String>,
    /// One request: webhook.site's, or that of `countersign sign --json`.
    #[serde(flatten)]
    one: Request,
}

#[derive(Deserialize)]
struct Log {
    entries: Kept<HarEntry>,
}

#[derive(Deserialize)]
struct HarEntry {
    #[serde(rename = "startedDateTime")]
    started: Option<String>,
    request: HarRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    headers: HeaderList,
    post_data: Option<PostData>,
    body_size: Option<i64>,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    method: Option<String>,
    url: Option<String>,
    headers: Option<HeaderList>,
    /// Of webhook.site.
    content: Option<String>,
    created_at: Option<String>,
    /// Of `countersign sign --json`.
    body: Option<String>,
    body_base64: Option<String>,
}

#[derive(Deserialize)]
struct NgrokEntry {
    start: Option<String>,
    request: NgrokRequest,
}

#[derive(Deserialize)]
struct NgrokRequest {
    method: Option<String>,
    uri: Option<String>,
    headers: Option<HeaderList>,
    /// The request as it was on the wire, in base64.
    raw: Option<String>,
}

/// Reads a document as a stream: one of the shapes, or a list of single requests.
pub(super) fn read(reader: &mut impl BufRead) -> Result<Vec<Captured>, String> {
    let start = reader.fill_buf().map_err(|error| error.to_string())?;
    if start.trim_ascii_start().first() == Some(&b'[') {
        let list: Kept<Request> = serde_json::from_reader(reader).map_err(|error| error.to_string())?;
        return Ok(list.captured);
    }
    let document: Document = serde_json::from_reader(reader).map_err(|error| error.to_string())?;
    match document {
        Document { log: Some(log), .. } => Ok(log.entries.captured),
        Document { requests: Some(list), .. } => Ok(list.captured),
        Document { data: Some(list), .. } => Ok(list.captured),
        // webhook.site has the fields of a form there.
        Document { request: Some(request @ NgrokRequest { uri: Some(_), .. }), start, .. } => {
            Ok(vec![NgrokEntry { start, request }.captured()?])
        }
        Document { one, .. } => Ok(vec![one.captured()?]),
    }
}

impl Item for HarEntry {
    fn method(&self) -> Option<&str> {
        Some(&self.request.method)
    }

    fn captured(self) -> Result<Captured, String> {
        let HarRequest { method, url, headers, post_data, body_size } = self.request;
        let text = post_data.and_then(|data| data.text.map(|text| (text, data.encoding)));
        let lacks_body = text.is_none() && body_size.is_some_and(|size| size > 0);
        let body = match text {
            Some((text, Some(encoding))) if encoding == "base64" => decode(&text)?,
            Some((text, _)) => text.into_bytes(),
            None => Vec::new(),
        };
        Ok(Captured {
            entry: 1,
            method,
            target: target(&url)?,
            headers: headers.0,
            body,
            at: self.started.as_deref().and_then(instant::rfc_3339),
            note: lacks_body.then_some("the HAR has no text of the body"),
        })
    }
}

impl Item for Request {
    fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    fn captured(self) -> Result<Captured, String> {
        let Self { method, url, headers, content, created_at, body, body_base64 } = self;
        Ok(Captured {
            entry: 1,
            method: method.ok_or_else(not_a_request)?,
            target: target(&url.ok_or_else(not_a_request)?)?,
            headers: headers.ok_or_else(not_a_request)?.0,
            body: match (body_base64, body.or(content)) {
                (Some(text), _) => decode(&text)?,
                (None, text) => text.unwrap_or_default().into_bytes(),
            },
            at: created_at.as_deref().and_then(instant::without_zone),
            note: None,
        })
    }
}

impl Item for NgrokEntry {
    fn method(&self) -> Option<&str> {
        self.request.method.as_deref()
    }

    fn captured(self) -> Result<Captured, String> {
        let NgrokRequest { method, uri, headers, raw } = self.request;
        let at = self.start.as_deref().and_then(instant::rfc_3339);
        let raw = raw.as_deref().map(decode).transpose()?.unwrap_or_default();
        match http::parse(&raw) {
            Ok(captured) => Ok(Captured { at, ..captured }),
            // Some versions put the body alone there.
            Err(_) => Ok(Captured {
                entry: 1,
                method: method.ok_or_else(not_a_request)?,
                target: target(&uri.ok_or_else(not_a_request)?)?,
                headers: headers.unwrap_or_default().0,
                body: raw,
                at,
                note: None,
            }),
        }
    }
}

fn not_a_request() -> String {
    "this JSON is no HAR, and no export of webhook.site or ngrok".to_owned()
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    BASE64_STANDARD.decode(text).map_err(|_| "a body is not in base64, as it should be".to_owned())
}
