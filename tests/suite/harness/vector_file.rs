use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{
    Key, PublicKey, RejectionKind, Scheme, Secret, Tolerance, Verifier, VerifierBuilder, senders,
};
use serde::Deserialize;

use super::{Delivery, Outcome};

pub(crate) fn vectors_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Deliveries signed by third-party code, and their provenance.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VectorFile {
    pub(crate) provenance: String,
    pub(crate) vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) sender: String,
    keys: Vec<VectorKey>,
    /// The receiver's URL as configured at the sender, if the sender signs it.
    url: Option<String>,
    method: Option<String>,
    target: Option<String>,
    /// The receiver's clock in seconds since 1970, if the sender signs a timestamp.
    now: Option<u64>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    pub(crate) verified_by: Option<String>,
    pub(crate) rejected_as: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorKey {
    id: String,
    secret: Option<String>,
    secret_hex: Option<String>,
    /// The path of a PEM file in the folder of vectors, or the key as the sender shows it.
    public_key: Option<String>,
    not_before: Option<u64>,
    expires_at: Option<u64>,
}

impl VectorFile {
    pub(crate) fn load(name: &str) -> Self {
        let path = vectors_folder().join(name);
        let text = fs::read_to_string(&path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Vector {
    fn scheme(&self) -> Scheme {
        senders::named(&self.sender, self.url.as_deref()).unwrap()
    }

    fn verifier_of(&self, scheme: Scheme) -> Verifier {
        let keys = self.keys.iter().map(VectorKey::key);
        keys.fold(Verifier::builder(scheme), VerifierBuilder::key).build().unwrap()
    }

    /// A verifier that accepts the delivery at any time, because the adapters use the machine's clock.
    pub(crate) fn verifier(&self) -> Verifier {
        self.verifier_of(match self.now {
            Some(_) => self.scheme().tolerance(Tolerance::dangerously_unlimited()),
            None => self.scheme(),
        })
    }

    /// A verifier with the sender's own tolerance, and an instant at which the delivery is on time.
    pub(crate) fn timed(&self) -> Option<(Verifier, SystemTime)> {
        Some((self.verifier_of(self.scheme()), instant(self.now?)))
    }

    pub(crate) fn delivery(&self) -> Delivery {
        let body = match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(base64)) => BASE64_STANDARD.decode(base64).unwrap(),
            _ => panic!("{}: needs either body or body_base64", self.name),
        };
        let delivery = Delivery::new(self.headers.clone(), body);
        let (method, target) = (self.method.as_deref(), self.target.as_deref());
        delivery.to(method.unwrap_or("POST"), target.unwrap_or("/"))
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match (&self.verified_by, &self.rejected_as) {
            (Some(key), None) => Outcome::verified(key, self.delivery().body()),
            (None, Some(name)) => {
                let kind = RejectionKind::ALL.iter().find(|kind| kind.as_str() == name);
                Outcome::rejected(*kind.unwrap_or_else(|| panic!("{}: unknown kind {name}", self.name)))
            }
            _ => panic!("{}: needs either verified_by or rejected_as", self.name),
        }
    }
}

impl VectorKey {
    fn key(&self) -> Key {
        let mut key = match (&self.secret, &self.secret_hex, &self.public_key) {
            (Some(text), None, None) => {
                // Senders publish these, so some are placeholders.
                Key::secret(&self.id, Secret::new(text.as_str()).dangerously_accept_placeholder())
            }
            (None, Some(hex), None) => {
                Key::secret(&self.id, Secret::new(base16ct::lower::decode_vec(hex).unwrap()))
            }
            (None, None, Some(file)) => {
                let text = fs::read_to_string(vectors_folder().join(file));
                Key::public(&self.id, PublicKey::from_text(text.as_ref().unwrap_or(file)).unwrap())
            }
            _ => panic!("key {}: needs exactly one of secret, secret_hex and public_key", self.id),
        };
        if let Some(seconds) = self.not_before {
            key = key.not_before(instant(seconds));
        }
        if let Some(seconds) = self.expires_at {
            key = key.expires_at(instant(seconds));
        }
        key
    }
}

fn instant(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
