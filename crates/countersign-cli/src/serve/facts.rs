use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use countersign::{Identity, Verified, VerifiedDelivery};
use http::{HeaderMap, HeaderName, HeaderValue, Request};

/// What is known about a verified delivery, for the service and for the access log.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) verified: Verified,
    pub(crate) identity: Identity,
    pub(crate) bytes: usize,
}

/// Who called, and the place where the guard's verdict is noted for the access log. It travels with the request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) caller: IpAddr,
    pub(crate) facts: Arc<OnceLock<Facts>>,
}

const SENDER: HeaderName = HeaderName::from_static("countersign-sender");
const KEY: HeaderName = HeaderName::from_static("countersign-key");
const IDENTITY: HeaderName = HeaderName::from_static("countersign-identity");

impl Facts {
    /// Notes the facts about a request that the guard let pass.
    pub(crate) fn note<B>(request: Request<B>) -> Request<B> {
        let extensions = request.extensions();
        if let (Some(call), Some(delivery)) = (extensions.get::<Call>(), extensions.get::<VerifiedDelivery>())
        {
            call.facts.get_or_init(|| {
                let identity = delivery.identify().identity;
                let (verified, body) = delivery.clone().into_parts();
                Self { verified, identity, bytes: body.len() }
            });
        }
        request
    }

    /// Tells the service whose delivery it is. The names were removed before, however they were spelled.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) -> Result<(), http::Error> {
        headers.insert(SENDER, HeaderValue::from_str(self.verified.scheme().name())?);
        headers.insert(KEY, HeaderValue::from_str(self.verified.key().as_str())?);
        headers.insert(IDENTITY, HeaderValue::from_str(&self.identity.to_string())?);
        Ok(())
    }
}

impl Call {
    pub(crate) fn new(caller: IpAddr) -> Self {
        Self { caller, facts: Arc::default() }
    }
}
