use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign::{Key, PublicKey, RejectionKind, Secret, Verifier, senders};
use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;

use super::{Delivery, Outcome};

pub(crate) fn vectors_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Deliveries that somebody else's code signed, and where they come from.
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
    /// A PEM file in the folder of the vectors.
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
    pub(crate) fn verifier(&self) -> Verifier {
        let scheme = match self.sender.as_str() {
            "moduslink" => senders::moduslink(),
            "ewarehousing" => senders::ewarehousing(),
            "extend" => senders::extend(),
            "fluent" => senders::fluent(),
            "fluent-legacy-md5" => senders::fluent_legacy_md5(),
            "modern-dropship" => senders::modern_dropship(),
            other => panic!("{}: no sender {other}", self.name),
        };
        self.keys
            .iter()
            .map(VectorKey::key)
            .fold(Verifier::builder(scheme), countersign::VerifierBuilder::key)
            .build()
            .unwrap()
    }

    pub(crate) fn delivery(&self) -> Delivery {
        let body = match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(base64)) => BASE64.decode(base64.as_bytes()).unwrap(),
            _ => panic!("{}: one of body and body_base64", self.name),
        };
        Delivery::new(self.headers.clone(), body)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match (&self.verified_by, &self.rejected_as) {
            (Some(key), None) => Outcome::verified(key, self.delivery().body()),
            (None, Some(name)) => {
                let kind = RejectionKind::ALL.iter().find(|kind| kind.as_str() == name);
                Outcome::rejected(*kind.unwrap_or_else(|| panic!("{}: no kind {name}", self.name)))
            }
            _ => panic!("{}: one of verified_by and rejected_as", self.name),
        }
    }
}

impl VectorKey {
    fn key(&self) -> Key {
        let mut key = match (&self.secret, &self.secret_hex, &self.public_key) {
            (Some(text), None, None) => Key::secret(&self.id, Secret::new(text.as_str())),
            (None, Some(hex), None) => {
                Key::secret(&self.id, Secret::new(HEXLOWER.decode(hex.as_bytes()).unwrap()))
            }
            (None, None, Some(file)) => {
                let pem = fs::read_to_string(vectors_folder().join(file)).unwrap();
                Key::public(&self.id, PublicKey::from_pem(&pem).unwrap())
            }
            _ => panic!("key {}: one of secret, secret_hex and public_key", self.id),
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
