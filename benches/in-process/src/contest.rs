//! A contest between services: the scheme, the handler, and the contestants.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use countersign::{BuildError, Scheme, Secret, Signer, Verifier, senders};
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

use crate::{delivery::Delivery, measure::Timed};

const KEY: [u8; 32] = *b"a key of thirty-two bytes, 256 b";
pub const GITHUB_HEADER: &str = "x-hub-signature-256";

/// The scheme that signs the deliveries, which all contestants support.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Contest {
    /// HMAC-SHA256 of the body in hex, in one header.
    #[serde(rename = "GitHub")]
    GitHub,
    /// `v1`: HMAC-SHA256 of id, timestamp and body.
    #[serde(rename = "Standard Webhooks")]
    StandardWebhooks,
}

/// What the handler does with the body. It answers 200 with an empty body.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handler {
    TakesBytes,
    DropsFrames,
}

#[derive(Clone, Copy)]
pub struct Setting {
    pub contest: Contest,
    pub handler: Handler,
    pub body_limit: usize,
}

impl Contest {
    pub fn secret(self) -> String {
        match self {
            Self::GitHub => String::from_utf8_lossy(&KEY).into_owned(),
            Self::StandardWebhooks => format!("whsec_{}", BASE64.encode(&KEY)),
        }
    }

    pub fn signer(self) -> Result<Signer, BuildError> {
        let signer = Signer::new(self.scheme(), [Secret::new(self.secret())])?;
        Ok(match self {
            Self::GitHub => signer,
            Self::StandardWebhooks => signer.header("webhook-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
        })
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::GitHub => senders::github(),
            Self::StandardWebhooks => senders::standard_webhooks(),
        }
    }
}

impl Setting {
    pub fn verifier(self) -> Result<Verifier, BuildError> {
        let verifier = Verifier::builder(self.contest.scheme());
        verifier.secret("bench", Secret::new(self.contest.secret())).body_limit(self.body_limit).build()
    }
}

/// Measures the closure it is given.
pub type Probe<'p> = &'p mut dyn FnMut(&mut dyn FnMut());

/// Sends a delivery this many times under the probe, and returns whether every answer was a success.
pub type Run = Box<dyn FnMut(&Delivery, usize, Probe<'_>) -> bool>;

pub struct Contestant {
    pub name: &'static str,
    pub run: Run,
}

impl Contestant {
    pub fn new(name: &'static str, run: impl FnMut(&Delivery, usize, Probe<'_>) -> bool + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// Timed over deliveries built beforehand.
    pub fn timed<'a>(&'a mut self, delivery: &'a Delivery) -> Timed<'a> {
        Box::new(move |times| {
            let mut elapsed = Duration::ZERO;
            (self.run)(delivery, times, &mut |work| {
                let start = Instant::now();
                work();
                elapsed = start.elapsed();
            });
            elapsed
        })
    }

    fn takes(&mut self, delivery: &Delivery) -> bool {
        (self.run)(delivery, 1, &mut |work| work())
    }
}

pub const PLAIN: &str = "plain";
pub const NO_OP: &str = "no-op layer";
pub const HAND_WRITTEN: &str = "hand-written from_fn";
pub const COUNTERSIGN: &str = "countersign";
pub const COUNTERSIGN_TIMEOUT: &str = "countersign, body_timeout";
pub const COUNTERSIGN_VERIFIED: &str = "countersign, Verified";
pub const WEBHOOK_VERIFY: &str = "webhook-verify";
pub const STANDARD_WEBHOOKS: &str = "standardwebhooks";
pub const SVIX: &str = "svix";
const HASH: &str = "the hash alone";

/// Asserts that all contestants accept the delivery, and that the guards reject a forged one.
pub fn check(contestants: &mut [Contestant], delivery: &Delivery) -> Result<(), Box<dyn Error>> {
    let forged = delivery.forged();
    for contestant in contestants {
        let guards = ![PLAIN, NO_OP, HASH].contains(&contestant.name);
        if !contestant.takes(delivery) || contestant.takes(&forged) == guards {
            return Err(format!("{} judges wrongly", contestant.name).into());
        }
    }
    Ok(())
}

/// Prepares the key once, as a fast hand-written guard would.
pub fn keyed() -> Hmac<Sha256> {
    Hmac::new_from_slice(&KEY).expect("HMAC takes keys of every length")
}

/// The check of a hand-written guard for GitHub: decodes on the stack, compares in constant time.
pub fn is_signed(keyed: &Hmac<Sha256>, header: Option<&str>, body: &[u8]) -> bool {
    let mut claimed = [0; 32];
    let hex = header.and_then(|value| value.strip_prefix("sha256=")).filter(|hex| hex.len() == 64);
    hex.is_some_and(|hex| HEXLOWER.decode_mut(hex.as_bytes(), &mut claimed).is_ok())
        && keyed.clone().chain_update(body).verify_slice(&claimed).is_ok()
}

/// The HMAC over the chunks, which every guard must compute.
pub fn hash_alone() -> Contestant {
    let keyed = keyed();
    Contestant::new(HASH, move |delivery, times, probe| {
        let requests: Vec<Arc<[Bytes]>> = vec![delivery.chunks().into(); times];
        probe(&mut || {
            for chunks in &requests {
                let mut running = keyed.clone();
                chunks.iter().for_each(|chunk| running.update(chunk));
                std::hint::black_box(running.finalize());
            }
        });
        true
    })
}
