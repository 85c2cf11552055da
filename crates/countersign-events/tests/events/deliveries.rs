use std::time::SystemTime;

use bytes::Bytes;
use countersign::{
    Algorithm, Encoding, PrivateKey, PublicKey, Scheme, Secret, Signer, VerifiedDelivery, Verifier, senders,
};
use countersign_events::{
    EventError, FromDelivery, VerifiedDeliveryExt, ewarehousing, extend, fluent, modern_dropship, moduslink,
};

/// What a verifier makes of a request with these headers.
pub(crate) fn verify<H: AsRef<[u8]>>(
    verifier: &Verifier,
    headers: &[(&str, H)],
    body: &[u8],
) -> VerifiedDelivery {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let mut verification = verifier.begin_buffered(headers.as_slice(), SystemTime::now()).unwrap();
    verification.update(Bytes::copy_from_slice(body)).unwrap();
    verification.finish().unwrap()
}

/// A delivery of a sender with a shared secret.
pub(crate) fn delivery(scheme: Scheme, body: impl AsRef<[u8]>) -> VerifiedDelivery {
    let body = body.as_ref();
    let signer = Signer::new(scheme.clone(), [Secret::new("secret")]).unwrap();
    let verifier = Verifier::builder(scheme)
        .secret("k", Secret::new("secret").dangerously_accept_placeholder())
        .body_limit(8 << 20);
    let headers = signer.headers(body, SystemTime::now()).unwrap();
    let headers: Vec<(&str, &String)> = headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    verify(&verifier.build().unwrap(), &headers, body)
}

/// A delivery of Fluent's, with keys of the size that Fluent has.
pub(crate) fn rsa_delivery(scheme: Scheme, body: impl AsRef<[u8]>) -> VerifiedDelivery {
    const PRIVATE: &str = include_str!("../../../../tests/vectors/keys/rsa-1024-private.pem");
    const PUBLIC: &str = include_str!("../../../../tests/vectors/keys/rsa-1024-public.pem");
    let body = body.as_ref();
    let signer = Signer::new(scheme.clone(), [PrivateKey::from_pem(PRIVATE).unwrap()]).unwrap();
    let verifier = Verifier::builder(scheme).public_key("k", PublicKey::from_text(PUBLIC).unwrap());
    let headers = signer.headers(body, SystemTime::now()).unwrap();
    let headers: Vec<(&str, &String)> = headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    verify(&verifier.build().unwrap(), &headers, body)
}

/// A scheme of one's own, under this name.
pub(crate) fn own_scheme(name: &'static str) -> Scheme {
    let scheme = Scheme::builder(name).signature_header("X-Signature").encoding(Encoding::Hex);
    scheme.algorithm(Algorithm::HmacSha256).build().unwrap()
}

/// One sender, as far as every sender is the same.
pub(crate) struct Sender {
    pub(crate) name: &'static str,
    /// The least that the sender's body has to be.
    pub(crate) least: &'static str,
    /// The event's `Debug`.
    pub(crate) parse: fn(&VerifiedDelivery) -> Result<String, EventError>,
}

impl Sender {
    /// What comes of this body, whoever it is from otherwise.
    pub(crate) fn read(&self, body: impl AsRef<[u8]>) -> Result<String, EventError> {
        (self.parse)(&delivery(own_scheme(self.name), body))
    }
}

fn parse<T: FromDelivery + std::fmt::Debug>(delivery: &VerifiedDelivery) -> Result<String, EventError> {
    delivery.event::<T>().map(|event| format!("{event:?}"))
}

pub(crate) const SENDERS: &[Sender] = &[
    Sender {
        name: "moduslink",
        least: r#"{"eventType":"Orders.Created","eventObjectId":"1"}"#,
        parse: parse::<moduslink::Event>,
    },
    Sender {
        name: "modern-dropship",
        least: r#"{"_id":"1","type":"order.fulfilled"}"#,
        parse: parse::<modern_dropship::Event>,
    },
    Sender { name: "fluent", least: "{}", parse: parse::<fluent::Event> },
    Sender {
        name: "ewarehousing",
        least: r#"{"group":"stock","action":"updated"}"#,
        parse: parse::<ewarehousing::Event>,
    },
    Sender { name: "extend", least: r#"{"Id":"1","Notifications":[]}"#, parse: parse::<extend::Event> },
];

/// A body that the sender of this event signed.
pub(crate) fn event<T: FromDelivery>(body: impl AsRef<[u8]>) -> Result<T, EventError> {
    let schemes =
        [senders::moduslink(), senders::modern_dropship(), senders::ewarehousing(), senders::extend()];
    let schemes = schemes.into_iter().chain([own_scheme("fluent")]);
    let mut results = schemes.map(|scheme| delivery(scheme, body.as_ref()).event());
    results.find(|result| !matches!(result, Err(EventError::OtherScheme { .. }))).unwrap()
}
