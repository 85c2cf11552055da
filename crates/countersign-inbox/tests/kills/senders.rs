//! The five senders of the README's examples, and what they send.

use countersign::{
    PrivateKey, PublicKey, Scheme, Secret, Signer, SigningKey, VerifiedDelivery, Verifier, VerifierBuilder,
    senders,
};
use serde::Deserialize;

use crate::signing::signed_and_verified;

/// The size that Fluent's keys have.
const FLUENT_PRIVATE: &str = include_str!("../../../../tests/vectors/keys/rsa-1024-private.pem");
const FLUENT_PUBLIC: &str = include_str!("../../../../tests/vectors/keys/rsa-1024-public.pem");

/// A sender, with its key.
pub(crate) struct Sender {
    /// The field of its body that tells its deliveries apart.
    id: &'static str,
    /// Whether a retry has another body: it counts its attempts there.
    counts_attempts: bool,
    signer: Signer,
    verifier: Verifier,
}

/// What a body says, whoever sends it.
#[derive(Deserialize)]
pub(crate) struct Content {
    /// The order key, if it has one.
    pub(crate) order: Option<String>,
    pub(crate) number: u32,
}

impl Sender {
    /// ModusLink, eWarehousing, Extend, Fluent and Modern Dropship.
    pub(crate) fn all() -> [Self; 5] {
        let public_key = PublicKey::from_text(FLUENT_PUBLIC).unwrap();
        let fluent = |builder: VerifierBuilder| builder.public_key("key-1", public_key);
        [
            Self::with_secret("eventObjectId", senders::moduslink()),
            Self::with_secret("entityId", senders::ewarehousing()),
            Self { counts_attempts: true, ..Self::with_secret("Id", senders::extend()) },
            Self::new("id", senders::fluent(), PrivateKey::from_pem(FLUENT_PRIVATE).unwrap().into(), fluent),
            Self::with_secret("_id", senders::modern_dropship()),
        ]
    }

    /// A verified delivery as it is sent for the first time, or again. Another one has another `id`.
    pub(crate) fn delivery(&self, id: &str, content: &Content, again: bool) -> VerifiedDelivery {
        let attempt = 1 + u8::from(again && self.counts_attempts);
        let Content { order, number } = content;
        let body = serde_json::json!({ (self.id): id, "order": order, "number": number, "Attempt": attempt });
        signed_and_verified(&self.signer, &self.verifier, body.to_string())
    }

    fn with_secret(id: &'static str, scheme: Scheme) -> Self {
        let secret = || Secret::new("test").dangerously_accept_placeholder();
        Self::new(id, scheme, secret().into(), |builder| builder.secret("key-1", secret()))
    }

    fn new(
        id: &'static str,
        scheme: Scheme,
        key: SigningKey,
        add_key: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ) -> Self {
        let signer = Signer::new(scheme.clone(), [key]).unwrap();
        let verifier = add_key(Verifier::builder(scheme)).build().unwrap();
        Self { id, counts_attempts: false, signer, verifier }
    }
}

impl Content {
    pub(crate) fn of(body: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(body)
    }
}
