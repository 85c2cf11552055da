//! The named cases: a sender, a verdict, the size of the body, and its chunks.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::{Future, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::SystemTime,
};

use bytes::Bytes;
use countersign::{Rejection, RejectionKind, Verified, Verifier};
use countersign_tower::{VerifiedBody, VerifyWebhookLayer};
use http::{Request, Response, StatusCode};
use http_body_util::{Empty, Full};
use tower::{Layer, Service, service_fn};

use crate::{
    RUNS, bare,
    sender::{self, Headers, Sender},
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    surface: Surface,
    sender: Sender,
    delivery: Delivery,
    size: usize,
    chunks: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    Core,
    /// The layer around a service that answers at once, with the body ready in one chunk.
    Tower,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Accepted,
    /// No signature header.
    Missing,
    /// The last significant character is invalid, so that the decoder reads all others.
    Malformed,
    /// A signature of another body.
    Wrong,
}

pub(crate) fn all() -> impl Iterator<Item = Case> {
    let core =
        |sender, delivery, size, chunks| Case { surface: Surface::Core, sender, delivery, size, chunks };
    let hmac = Sender::ALL.into_iter().filter(|sender| *sender != Sender::Fluent);
    let accepted = move |sender| [0, 1024, 16_384].map(|size| core(sender, Delivery::Accepted, size, 1));
    let rejected = [Delivery::Missing, Delivery::Malformed, Delivery::Wrong];
    let rejected = move |sender| rejected.map(|delivery| core(sender, delivery, 1024, 1));
    let chunked = core(Sender::Github, Delivery::Accepted, 1024, 16);
    let rsa = core(Sender::Fluent, Delivery::Accepted, 1024, 1);
    let tower = [Delivery::Accepted, Delivery::Missing, Delivery::Wrong]
        .map(|delivery| Case { surface: Surface::Tower, ..core(Sender::Github, delivery, 1024, 1) });
    hmac.clone().flat_map(accepted).chain(hmac.flat_map(rejected)).chain([chunked, rsa]).chain(tower)
}

impl Case {
    pub(crate) fn named(name: &str) -> Result<Self, Box<dyn Error>> {
        Ok(all().find(|case| case.to_string() == name).ok_or("no such case: `list` names them")?)
    }

    /// The verdict path, with a check of the verdict.
    pub(crate) fn ours(self) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
        let verifier = self.sender.verifier()?;
        let (headers, body) = (self.headers()?, self.body());
        if self.surface == Surface::Tower {
            return self.tower(verifier, &headers, &body.into());
        }
        let now = sender::now();
        let chunk = body.len().div_ceil(self.chunks);
        Ok(match self.chunks {
            1 => Box::new(move || self.check(&verifier.verify(black_box(&headers), black_box(&body), now))),
            _ => Box::new(move || self.check(&in_chunks(&verifier, &headers, body.chunks(chunk), now))),
        })
    }

    /// The primitive alone, over the signed bytes. A delivery rejected before its body needs none.
    pub(crate) fn bare(self) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
        let signed = [self.sender.prefix().as_bytes(), &self.body()].concat();
        match (self.delivery, self.sender) {
            (Delivery::Missing | Delivery::Malformed, _) => Ok(Box::new(|| ())),
            (Delivery::Accepted | Delivery::Wrong, Sender::Fluent) => bare::rsa(signed),
            (Delivery::Accepted | Delivery::Wrong, _) => bare::hmac(signed),
        }
    }

    /// One poll from the request to the response: both the body and the answer are ready.
    fn tower(
        self,
        verifier: Verifier,
        headers: &Headers,
        body: &Bytes,
    ) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
        let inner =
            |_: Request<VerifiedBody>| ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
        let mut service = VerifyWebhookLayer::new(verifier).layer(service_fn(inner));
        let request = || {
            let request =
                headers.iter().fold(Request::post("/"), |request, (name, value)| request.header(name, value));
            request.body(Full::new(body.clone()))
        };
        // Built before the marks, because building a request is the server's work.
        let mut requests: Vec<Request<Full<Bytes>>> =
            (0..RUNS).map(|_| request()).collect::<Result<_, _>>()?;
        let status = match self.delivery {
            Delivery::Accepted => StatusCode::OK,
            Delivery::Missing | Delivery::Malformed | Delivery::Wrong => StatusCode::UNAUTHORIZED,
        };
        Ok(Box::new(move || {
            let mut context = Context::from_waker(Waker::noop());
            let request = requests.pop().expect("one for each run");
            let ready = Service::<Request<Full<Bytes>>>::poll_ready(&mut service, &mut context);
            assert!(ready.is_ready(), "the inner service is always ready");
            let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut context) else {
                panic!("the future was pending");
            };
            assert_eq!(response.status(), status, "{self}");
        }))
    }

    fn check(self, verdict: &Result<Verified, Rejection>) {
        let ends = match (self.delivery, verdict) {
            (Delivery::Accepted, Ok(_)) => true,
            (Delivery::Missing, Err(rejection)) => rejection.kind() == RejectionKind::SignatureMissing,
            (Delivery::Malformed, Err(rejection)) => rejection.kind() == RejectionKind::SignatureEncoding,
            (Delivery::Wrong, Err(rejection)) => rejection.kind() == RejectionKind::SignatureMismatch,
            _ => false,
        };
        assert!(ends, "{self}: {verdict:?}");
    }

    fn body(self) -> Vec<u8> {
        vec![b'x'; self.size]
    }

    fn headers(self) -> Result<Headers, Box<dyn Error>> {
        let mut signed = self.body();
        if self.delivery == Delivery::Wrong {
            signed[0] = b'y';
        }
        let mut headers = self.sender.headers(&signed)?;
        let scheme = self.sender.scheme();
        let is_signature = |name: &str| name.eq_ignore_ascii_case(scheme.header_name());
        match self.delivery {
            Delivery::Missing => headers.retain(|(name, _)| !is_signature(name)),
            Delivery::Malformed => {
                for (_, value) in headers.iter_mut().filter(|(name, _)| is_signature(name)) {
                    let last = value.trim_end_matches('=').len() - 1;
                    value.replace_range(last..=last, "!");
                }
            }
            Delivery::Accepted | Delivery::Wrong => {}
        }
        Ok(headers)
    }
}

fn in_chunks<'b>(
    verifier: &Verifier,
    headers: &Headers,
    chunks: impl Iterator<Item = &'b [u8]>,
    now: SystemTime,
) -> Result<Verified, Rejection> {
    let mut verification = verifier.begin(black_box(headers), now)?;
    for chunk in chunks {
        verification.update(black_box(chunk))?;
    }
    verification.finish()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { surface, sender, delivery, size, chunks } = self;
        let names = format!("{surface:?} {sender:?} {delivery:?}").to_lowercase();
        write!(f, "{names} {size} {chunks}")
    }
}
