//! The fields of a delivery, from which the reference makes a signed one.

use arbitrary::Arbitrary;
use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, Engine};
use countersign::{Part, SecretForm};

use crate::{
    receiver::{NANOSECONDS, reference_now},
    reference::{Delivery, Key, Place},
    schemes::Case,
};

pub struct Plan<'p> {
    pub method: &'p str,
    pub path: &'p str,
    pub query: &'p str,
    /// The values of the signed headers, in order.
    pub values: [&'p str; 2],
    pub time: &'p str,
    pub body: &'p [u8],
}

impl Plan<'_> {
    pub fn headers(&self, case: &Case) -> Vec<(String, String)> {
        let signed = case.reference.content.iter().filter_map(|part| match part {
            Part::Header(name) => Some(name.to_string()),
            _ => None,
        });
        signed.zip(self.values.map(str::to_owned)).collect()
    }

    pub fn target(&self, case: &Case) -> String {
        let Self { path, query, .. } = self;
        match &case.reference.digest_parameter {
            Some(parameter) => {
                let digest = hex::encode(digest::digest(&digest::SHA256, self.body));
                format!("{path}?{query}&{parameter}={digest}")
            }
            None => format!("{path}?{query}"),
        }
    }

    /// Signs with each of the keys, or with the first if the header holds one signature only.
    pub fn signed<'k>(&self, case: &Case, keys: impl Iterator<Item = &'k Key>) -> Delivery {
        let scheme = &case.reference;
        let headers = self.headers(case).into_iter().map(|(name, value)| (name, value.into_bytes()));
        let mut delivery = Delivery {
            method: self.method.to_owned(),
            target: self.target(case),
            headers: headers.collect(),
            body: self.body.to_vec(),
        };
        // Content that no receiver accepts is signed as if it were empty.
        let content = scheme.content(&delivery, self.time).unwrap_or_default();
        let signatures: Vec<String> = keys.map(|key| scheme.signature(&key.text, &content)).collect();
        let value = scheme.value(self.time, &signatures);
        delivery.headers.push((scheme.header.clone(), value.into_bytes()));
        if let Some(Place::Header(name)) = scheme.time.as_ref().map(|time| &time.place) {
            delivery.headers.push((name.clone(), self.time.as_bytes().to_vec()));
        }
        delivery
    }
}

/// A key chosen by the fuzzer.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct KeyInput {
    pub seed: u8,
    pub length: u8,
    pub period: Period,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Period {
    Always,
    UntilLater,
    SinceNow,
    Since(u8),
    NotYet,
    UntilNow,
    Expired,
}

impl KeyInput {
    pub fn key(self, id: &'static str, form: &SecretForm) -> Key {
        let printable = |at: u8| b'!' + at.wrapping_mul(37).wrapping_add(self.seed).rotate_left(3) % 94;
        let bytes: Vec<u8> = (0..self.length.max(1)).map(printable).collect();
        let text = match form {
            SecretForm::Base64 { prefix } => {
                format!("{prefix}{}", BASE64_STANDARD.encode(bytes)).into_bytes()
            }
            SecretForm::Hex => hex::encode(bytes).into_bytes(),
            _ => bytes,
        };
        let at = |seconds: i128| Some(reference_now() + seconds * NANOSECONDS);
        let (not_before, expires_at) = match self.period {
            Period::Always => (None, None),
            Period::UntilLater => (None, at(1)),
            Period::SinceNow => (at(0), None),
            Period::Since(ago) => (at(-i128::from(ago)), at(1)),
            Period::NotYet => (at(1), None),
            Period::UntilNow => (None, at(0)),
            Period::Expired => (at(-10), at(-1)),
        };
        Key { id, text, not_before, expires_at }
    }
}
