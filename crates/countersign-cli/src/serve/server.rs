use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use countersign::Rotating;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::{
    access_log::{AccessLog, Logged, Refusal},
    config::{Limits, Timeouts},
    header_hygiene,
    routes::{Route, Routes},
};

/// Takes requests, and gives each to the guard of its route.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) routes: Rotating<Routes>,
    pub(crate) log: AccessLog,
}

/// Limit on the head of a request, and on what of its body is read at once.
const BUFFER: usize = 32 * 1024;
/// The pause after which a connection is taken again where the process has no file left for one.
const PAUSE: Duration = Duration::from_millis(50);

impl Server {
    /// Serves until `shutdown` is ready; then takes no more connections, and gives requests in flight their time.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        limits: &Limits,
        timeouts: &Timeouts,
        shutdown: impl Future<Output = ()>,
    ) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(timeouts.head).max_buf_size(BUFFER);
        let slots = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let next = async { (Arc::clone(&slots).acquire_owned().await, accept(&listener).await) };
            let (slot, (stream, remote)) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                next = next => next,
            };
            let server = self.clone();
            let service = service_fn(move |request| {
                let server = server.clone();
                async move { Ok::<_, Infallible>(server.answer(request, remote).await) }
            });
            let mut stream = TimeoutStream::new(stream);
            // A caller that takes no answers must not hold its connection for ever.
            stream.set_write_timeout(Some(timeouts.send));
            let stream = TokioIo::new(Box::pin(stream));
            let connection = graceful.watch(http.serve_connection(stream, service));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%remote, "connection closed: {error}");
                }
                drop(slot);
            });
        }
        drop(listener);
        let connections = graceful.count();
        tracing::info!(connections, "no more requests are taken; those in flight end");
        if tokio::time::timeout(timeouts.shutdown, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still in flight after the time for the shutdown, and are cut off");
        }
    }

    async fn answer(self, mut request: Request<Incoming>, remote: SocketAddr) -> Response<Logged> {
        let mut entry = self.log.begin(&request, remote);
        let routes = self.routes.current();
        let route = routes.get(request.uri().path());
        entry.route = route.map(|route| Arc::clone(&route.path));
        let response = match admit(&request, route) {
            Ok(route) => {
                request.extensions_mut().insert(entry.call.clone());
                match route.service.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            Err(refusal) => refused(refusal, route),
        };
        entry.answered(response)
    }
}

/// The route whose guard decides about a request, or why no guard is asked.
fn admit<'r>(request: &Request<Incoming>, route: Option<&'r Route>) -> Result<&'r Route, Refusal> {
    if let Some(mistake) = header_hygiene::mistake(request) {
        return Err(Refusal { status: StatusCode::BAD_REQUEST, why: mistake });
    }
    let none = Refusal { status: StatusCode::NOT_FOUND, why: "no route has this path" };
    let route = route.ok_or(none)?;
    if !route.methods.contains(request.method()) {
        let why = "the route does not take this method";
        return Err(Refusal { status: StatusCode::METHOD_NOT_ALLOWED, why });
    }
    Ok(route)
}

/// The body of a refused request is not read, so its connection ends.
fn refused(refusal: Refusal, route: Option<&Route>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if let (StatusCode::METHOD_NOT_ALLOWED, Some(route)) = (refusal.status, route) {
        let methods: Vec<&str> = route.methods.iter().map(http::Method::as_str).collect();
        if let Ok(allow) = HeaderValue::try_from(methods.join(", ")) {
            headers.insert(header::ALLOW, allow);
        }
    }
    response.extensions_mut().insert(refusal);
    response
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // Without it, an answer in two parts would wait for the caller's acknowledgement.
                let _ = stream.set_nodelay(true);
                return (stream, remote);
            }
            Err(error) => {
                tracing::warn!("no connection taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
