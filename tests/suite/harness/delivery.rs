use std::time::SystemTime;

use bytes::Bytes;
use countersign::{RequestHead, Scheme, Secret, Signer, Verifier, senders};
use countersign_tower::VerifyWebhookLayer;

/// A request as it arrives: method, target, headers, and the body in chunks.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) chunks: Vec<Bytes>,
}

impl Delivery {
    pub(crate) fn new(headers: impl IntoIterator<Item = (String, String)>, body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let (method, target) = ("POST".to_owned(), "/".to_owned());
        Self { method, target, headers, chunks: vec![Bytes::from(body.into())] }
    }

    /// The same delivery with another method and target.
    pub(crate) fn to(&self, method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), ..self.clone() }
    }

    /// The request head, as the core takes it.
    pub(crate) fn head(&self) -> RequestHead<'_, [(String, Vec<u8>)]> {
        RequestHead::new(&self.method, &self.target, &self.headers)
    }

    fn with_chunks(&self, chunks: Vec<Bytes>) -> Self {
        Self { chunks, ..self.clone() }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub(crate) fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        self.with_chunks(vec![Bytes::from(body.into())])
    }

    pub(crate) fn in_chunks_of(&self, size: usize) -> Self {
        self.with_chunks(self.body().chunks(size).map(Bytes::copy_from_slice).collect())
    }

    pub(crate) fn split_at(&self, place: usize) -> Self {
        let body = Bytes::from(self.body());
        self.with_chunks(vec![body.slice(..place), body.slice(place..)])
    }

    /// The same delivery with another signature, which is the value of the first header.
    pub(crate) fn with_signature(&self, value: impl Into<Vec<u8>>) -> Self {
        let mut changed = self.clone();
        changed.headers[0].1 = value.into();
        changed
    }

    pub(crate) fn with_header(&self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        let mut changed = self.clone();
        changed.headers.push((name.to_owned(), value.into()));
        changed
    }

    pub(crate) fn signature(&self) -> String {
        String::from_utf8(self.headers[0].1.clone()).unwrap()
    }
}

pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// A verifier with one secret, `k`, that is always active.
pub(crate) fn verifier(scheme: Scheme, secret: &str) -> Verifier {
    Verifier::builder(scheme)
        .secret("k", Secret::new(secret).dangerously_accept_placeholder())
        .build()
        .unwrap()
}

/// A delivery signed with this secret.
pub(crate) fn hmac_delivery(scheme: Scheme, secret: &str, body: impl Into<Vec<u8>>) -> Delivery {
    let body = body.into();
    let signer = Signer::new(scheme, [Secret::new(secret)]).unwrap();
    Delivery::new(signer.headers(&body, now()).unwrap(), body)
}

/// A layer that accepts [`good`].
pub(crate) fn guard() -> VerifyWebhookLayer {
    VerifyWebhookLayer::new(verifier(senders::moduslink(), "secret"))
}

/// A delivery that [`guard`] accepts.
pub(crate) fn good() -> Delivery {
    hmac_delivery(senders::moduslink(), "secret", "a body of some length")
}
