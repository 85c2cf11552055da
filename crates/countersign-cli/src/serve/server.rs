use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use countersign::Rotating;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, service::service_fn};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::{
    access_log::{AccessLog, Logged, Refusal},
    config::{Limits, Timeouts},
    header_hygiene,
    routes::{Route, Routes},
};
use crate::connections::Connections;

/// Takes requests, and gives each to the guard of its route.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) routes: Rotating<Routes>,
    pub(crate) log: AccessLog,
}

impl Server {
    /// Serves until `shutdown` is ready; then takes no more connections, and gives requests in flight their time.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        limits: &Limits,
        timeouts: &Timeouts,
        shutdown: impl Future<Output = ()>,
    ) {
        let Timeouts { head, send, shutdown: end, .. } = *timeouts;
        let connections = Connections { most: limits.connections, head, send, end };
        let service = |remote| {
            let server = self.clone();
            service_fn(move |request| {
                let server = server.clone();
                async move { Ok(server.answer(request, remote).await) }
            })
        };
        connections.serve(listener, service, shutdown).await;
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
