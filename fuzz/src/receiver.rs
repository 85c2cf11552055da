//! Verifies a delivery with the library, whole and in chunks, and with the reference.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign::{Key, Rejection, RequestHead, Secret, Verified, Verifier};

use crate::{
    reference::{self, Delivery},
    schemes::Case,
};

/// 2024-06-25T19:00:00Z.
pub const NOW: u64 = 1_719_342_000;
pub const NANOSECONDS: i128 = 1_000_000_000;

pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

pub fn reference_now() -> i128 {
    i128::from(NOW) * NANOSECONDS
}

/// A verifier for one scheme, with the same settings for the reference.
pub struct Receiver {
    pub case: &'static Case,
    pub keys: Vec<reference::Key>,
    body_limit: usize,
    verifier: Verifier,
}

impl Receiver {
    pub fn new(case: &'static Case, mut keys: Vec<reference::Key>, body_limit: usize) -> Self {
        // A verifier with the same key under two ids does not build.
        let mut texts = HashSet::new();
        keys.retain(|key| texts.insert(key.text.clone()));
        let instant =
            |at: i128| UNIX_EPOCH + Duration::from_nanos(u64::try_from(at).expect("instants are after 1970"));
        let mut builder = Verifier::builder(case.library.clone()).body_limit(body_limit);
        for key in &keys {
            let mut given =
                Key::secret(key.id, Secret::new(key.text.clone()).dangerously_accept_placeholder());
            given = key.not_before.map_or(given.clone(), |at| given.not_before(instant(at)));
            given = key.expires_at.map_or(given.clone(), |at| given.expires_at(instant(at)));
            builder = builder.key(given);
        }
        Self { case, keys, body_limit, verifier: builder.build().expect("the scheme and the keys are valid") }
    }

    /// Asserts that all agree, and returns the id of the key that signed an accepted delivery.
    pub fn check(&self, delivery: &Delivery, cuts: &[u8]) -> Option<&'static str> {
        let head = RequestHead::new(&delivery.method, &delivery.target, &delivery.headers);
        let whole = self.verifier.verify(&head, &delivery.body, now());
        let chunked = self.chunked(&head, &delivery.body, cuts);
        let summary = |verdict: &Result<Verified, Rejection>| match verdict {
            Ok(verified) => Ok((verified.key().clone(), verified.fingerprint(), verified.timestamp())),
            Err(rejection) => Err(rejection.kind()),
        };
        assert_eq!(summary(&whole), summary(&chunked), "whole and in chunks of {cuts:?}");
        let expected = self.case.reference.verdict(&self.keys, self.body_limit, reference_now(), delivery);
        let found = whole.as_ref().ok().map(|verified| verified.key().as_str());
        assert_eq!(found, expected, "{:?}: {delivery:?}: {whole:?}", self.case.library);
        if let Err(rejection) = whole {
            self.tells_nothing(&rejection, delivery);
        }
        expected
    }

    fn chunked(
        &self,
        head: &RequestHead<'_, Vec<(String, Vec<u8>)>>,
        mut body: &[u8],
        cuts: &[u8],
    ) -> Result<Verified, Rejection> {
        let mut verification = self.verifier.begin(head, now())?;
        for cut in cuts {
            let (chunk, rest) = body.split_at(body.len().min(usize::from(*cut)));
            verification.update(chunk)?;
            body = rest;
        }
        verification.update(body)?;
        verification.finish()
    }

    /// Asserts that the rejection reveals no part of a secret and no valid signature.
    fn tells_nothing(&self, rejection: &Rejection, delivery: &Delivery) {
        let scheme = &self.case.reference;
        let told = format!("{rejection} {rejection:?}");
        let content = scheme.time_text(delivery).and_then(|time| scheme.content(delivery, time));
        for key in &self.keys {
            assert!(parts(&key.text).is_disjoint(&parts(told.as_bytes())), "a part of {key:?} is in {told}");
            if let Some(content) = &content {
                let right = scheme.signature(&key.text, content);
                assert!(right.len() < 8 || !told.contains(&right), "{right} is in {told}");
            }
        }
    }
}

/// Every window of eight bytes, as numbers. The fuzzer instruments comparisons of bytes, which would slow it down.
fn parts(text: &[u8]) -> HashSet<u64> {
    text.array_windows().map(|window| u64::from_ne_bytes(*window)).collect()
}
