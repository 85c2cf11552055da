use axum::body::Body;
use bytes::Bytes;
use countersign::VerifiedDelivery;
use countersign_tower::VerifiedBody;
use http::{HeaderMap, Method, Request, Response, StatusCode, uri::PathAndQuery};

use super::{address::UpstreamAddress, facts::Call, header_hygiene, upstream::Upstream};

/// Forwards verified deliveries to a service.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    pub(crate) upstream: Upstream,
    pub(crate) address: UpstreamAddress,
    pub(crate) trust_forwarded: bool,
}

/// A verified request as a service is to get it.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) target: PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Forward {
    pub(crate) async fn forward(&self, request: Request<VerifiedBody>) -> Response<Body> {
        let Some(Outgoing { method, target, headers, body }) = Outgoing::new(request, self.trust_forwarded)
        else {
            return unguarded();
        };
        let answer = self.upstream.send(&self.address, method, target, headers, body).await;
        answer.unwrap_or_else(|failure| {
            tracing::warn!(upstream = %self.address, "{failure}");
            failure.response()
        })
    }
}

impl Outgoing {
    /// `None` if no guard verified the request.
    pub(crate) fn new(request: Request<VerifiedBody>, trust_forwarded: bool) -> Option<Self> {
        // The delivery has the verified bytes.
        let (head, _) = request.into_parts();
        let call = head.extensions.get::<Call>()?;
        let body = head.extensions.get::<VerifiedDelivery>()?.body().clone();
        let mut headers = header_hygiene::of_request(&head, call.caller, trust_forwarded);
        call.facts.get()?.tell(&mut headers).ok()?;
        let target = head.uri.into_parts().path_and_query?;
        Some(Self { method: head.method, target, headers, body })
    }
}

/// The answer to a request that no guard verified, which cannot be.
pub(crate) fn unguarded() -> Response<Body> {
    tracing::error!("a request that no guard verified was to be forwarded: it is refused");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
