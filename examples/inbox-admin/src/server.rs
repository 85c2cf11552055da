use std::{
    error::Error,
    fmt,
    io::{Error as IoError, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};

use axum::{
    Form, Router,
    extract::{Path, Query, Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use countersign_inbox::{Filter, State as EntryState, StoreError};
use maud::Markup;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use crate::{AnyInbox, page};

/// How many deliveries a page lists.
const PAGE: u32 = 100;

#[derive(Clone)]
struct Desk {
    inbox: AnyInbox,
    /// In every form of our pages, so that no other site's page can change anything.
    token: Arc<str>,
    hosts: Arc<[String]>,
}

/// Serves the page until Ctrl-C.
///
/// # Errors
///
/// [`NotLoopback`], as an [`IoError`]; or the address is taken.
pub async fn serve(inbox: AnyInbox, address: SocketAddr) -> Result<(), IoError> {
    if !address.ip().is_loopback() {
        return Err(IoError::new(ErrorKind::InvalidInput, NotLoopback(address)));
    }
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!("http://{address}");
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, router(inbox, address)?).with_graceful_shutdown(stop).await
}

/// The page, for requests whose `Host` is `address` or `localhost` with its port.
///
/// # Errors
///
/// The operating system gives no random bytes.
pub fn router(inbox: AnyInbox, address: SocketAddr) -> Result<Router, IoError> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(IoError::other)?;
    let token = base16ct::lower::encode_string(&token).into();
    let hosts = [address.to_string(), format!("localhost:{}", address.port())].into();
    let desk = Desk { inbox, token, hosts };
    Ok(Router::new()
        .route("/", get(list))
        .route("/deliveries/{id}", get(show))
        .route("/deliveries/{id}/body", get(body))
        .route("/mend", post(mend))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css")], page::STYLE) }))
        .layer(from_fn(protect))
        .layer(from_fn_with_state(desk.clone(), check_host))
        .with_state(desk))
}

/// Refuses requests for other hosts: another site's page could otherwise reach this one through a name that it resolves to this
/// machine.
async fn check_host(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(HOST).iter();
    let known = match (hosts.next(), hosts.next()) {
        (Some(host), None) => desk.hosts.iter().any(|known| known.as_bytes() == host.as_bytes()),
        _ => false,
    };
    if known { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

/// Lets the browser run and load nothing but our own style, whatever a delivery holds.
async fn protect(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) sender: String,
    #[serde(default)]
    pub(crate) after: i64,
}

impl Chosen {
    fn filter(&self) -> Filter {
        let mut filter = Filter::all();
        if let Ok(state) = self.state.parse::<EntryState>() {
            filter = filter.state(state);
        }
        if !self.sender.is_empty() {
            filter = filter.sender(&self.sender);
        }
        filter
    }
}

async fn list(State(desk): State<Desk>, Query(chosen): Query<Chosen>) -> Result<Markup, Away> {
    let stats = desk.inbox.stats().await?;
    let entries = desk.inbox.list(&chosen.filter(), chosen.after, PAGE).await?;
    let next = (entries.len() == PAGE as usize).then(|| entries.last().map(|entry| entry.id)).flatten();
    Ok(page::list(&stats, &entries, &chosen, next, &desk.token))
}

async fn show(State(desk): State<Desk>, Path(id): Path<i64>) -> Result<Response, Away> {
    Ok(match desk.inbox.show(id).await? {
        Some(stored) => page::show(&stored, &desk.token).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn body(State(desk): State<Desk>, Path(id): Path<i64>) -> Result<Response, Away> {
    Ok(match desk.inbox.show(id).await? {
        Some(stored) => {
            let headers = [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment")];
            (headers, stored.body).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

#[derive(Deserialize)]
struct Mend {
    token: String,
    action: Action,
    id: Option<i64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Retry,
    Replay,
    Discard,
}

/// Mends one delivery, or retries every dead letter.
async fn mend(State(desk): State<Desk>, Form(mend): Form<Mend>) -> Result<Response, Away> {
    if !bool::from(mend.token.as_bytes().ct_eq(desk.token.as_bytes())) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    let filter = match (mend.id, mend.action) {
        (Some(id), _) => Filter::all().id(id),
        (None, Action::Retry) => Filter::all().state(EntryState::Dead),
        (None, Action::Replay | Action::Discard) => return Ok(StatusCode::BAD_REQUEST.into_response()),
    };
    match mend.action {
        Action::Retry => desk.inbox.retry(&filter).await?,
        Action::Replay => desk.inbox.replay(&filter).await?,
        Action::Discard => desk.inbox.discard(&filter).await?,
    };
    let target = mend.id.map_or_else(|| "/".to_owned(), |id| format!("/deliveries/{id}"));
    Ok(Redirect::to(&target).into_response())
}

/// The database fails.
struct Away(StoreError);

impl From<StoreError> for Away {
    fn from(failure: StoreError) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Away {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", self.0)).into_response()
    }
}

/// The page would be open to other machines, and it asks nobody who they are.
#[derive(Debug)]
pub struct NotLoopback(SocketAddr);

impl fmt::Display for NotLoopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not an address of this machine alone, such as 127.0.0.1: put a proxy that asks for a login before it",
            self.0
        )
    }
}

impl Error for NotLoopback {}
