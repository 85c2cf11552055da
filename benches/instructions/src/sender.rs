//! The senders of the cases: the keys of both sides, a fixed instant, and a realistic request head.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use countersign::{PrivateKey, PublicKey, Scheme, Secret, Signer, SigningKey, Verifier, senders};

pub(crate) type Headers = Vec<(String, String)>;

/// 2027-01-01T00:00:00Z. Every case signs and verifies at this instant.
const NOW: u64 = 1_798_761_600;
const ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
pub(crate) const PRIVATE_KEY: &str =
    include_str!("../../../examples/receiver-setup/keys/fluent-demo-private.pem");
pub(crate) const PUBLIC_KEY: &str =
    include_str!("../../../examples/receiver-setup/keys/fluent-demo-public.pem");

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Hex with a prefix.
    Github,
    /// Base64.
    Shopify,
    /// A list of signatures, with the id and the timestamp in separate headers.
    StandardWebhooks,
    /// A list that includes the timestamp.
    Stripe,
    /// RSA-2048 with SHA-512.
    Fluent,
}

impl Sender {
    pub(crate) const ALL: [Self; 5] =
        [Self::Github, Self::Shopify, Self::StandardWebhooks, Self::Stripe, Self::Fluent];

    pub(crate) fn verifier(self) -> Result<Verifier, Box<dyn Error>> {
        let builder = Verifier::builder(self.scheme());
        let builder = match self {
            Self::Fluent => builder.public_key("2026-q4", PublicKey::from_pem(PUBLIC_KEY)?),
            _ => builder.secret("2026-q4", Secret::new(self.secret()).dangerously_accept_placeholder()),
        };
        Ok(builder.build()?)
    }

    /// The headers of a delivery of this body: four common ones, then those that sign it.
    pub(crate) fn headers(self, body: &[u8]) -> Result<Headers, Box<dyn Error>> {
        let key = match self {
            Self::Fluent => SigningKey::from(PrivateKey::from_pem(PRIVATE_KEY)?),
            _ => SigningKey::from(Secret::new(self.secret())),
        };
        let signer = Signer::new(self.scheme(), [key])?;
        let signer = if self == Self::StandardWebhooks { signer.header("webhook-id", ID) } else { signer };
        let length = body.len().to_string();
        let ordinary = [
            ("host", "receiver.example"),
            ("user-agent", "Sender/1.0"),
            ("content-type", "application/json"),
            ("content-length", &length),
        ];
        let ordinary = ordinary.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(ordinary.into_iter().chain(signer.headers(body, now())?).collect())
    }

    /// The signed content before the body.
    pub(crate) fn prefix(self) -> String {
        match self {
            Self::StandardWebhooks => format!("{ID}.{NOW}."),
            Self::Stripe => format!("{NOW}."),
            Self::Github | Self::Shopify | Self::Fluent => String::new(),
        }
    }

    pub(crate) fn scheme(self) -> Scheme {
        match self {
            Self::Github => senders::github(),
            Self::Shopify => senders::shopify(),
            Self::StandardWebhooks => senders::standard_webhooks(),
            Self::Stripe => senders::stripe(),
            Self::Fluent => senders::fluent(),
        }
    }

    fn secret(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            _ => "whsec_a-secret-of-a-usual-length",
        }
    }
}
