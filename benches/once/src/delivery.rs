//! Signed deliveries of 1 KiB.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use bytes::Bytes;
use countersign::{BuildError, Scheme, Secret, Signer, VerifiedDelivery, Verifier};

/// Base64 of 32 bytes, as Standard Webhooks needs it.
const SECRET: &str = "YSBrZXkgb2YgdGhpcnR5LXR3byBieXRlcywgMjU2IGI=";
const SIZE: usize = 1 << 10;

#[derive(Clone)]
pub struct Delivery {
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// A sender, which never makes the same delivery twice.
pub struct Sender {
    scheme: Scheme,
    signer: Signer,
    next: AtomicU64,
}

impl Sender {
    pub fn new(scheme: Scheme) -> Result<Self, BuildError> {
        let signer = Signer::new(scheme.clone(), [Secret::new(SECRET)])?;
        // Standard Webhooks signs the header, and the others do not send it.
        let signer =
            if scheme.name() == "standard-webhooks" { signer.header("webhook-id", "msg_1") } else { signer };
        Ok(Self { scheme, signer, next: AtomicU64::new(0) })
    }

    pub fn verifier(&self) -> Result<Verifier, BuildError> {
        Verifier::builder(self.scheme.clone()).secret("bench", Secret::new(SECRET)).build()
    }

    pub fn delivery(&self) -> Result<Delivery, BuildError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut body = format!(r#"{{"Id":"{number:012}","eventType":"Orders.Created","data":""#).into_bytes();
        body.resize(SIZE - 2, b'1');
        body.extend(b"\"}");
        let mut headers = self.signer.headers(&body, SystemTime::now())?;
        for (name, value) in [
            ("host", "shop.example"),
            ("user-agent", "sender/1.0"),
            ("accept", "*/*"),
            ("content-type", "application/json"),
            ("content-length", "1024"),
        ] {
            headers.push((name.to_owned(), value.to_owned()));
        }
        Ok(Delivery { headers, body: body.into() })
    }

    pub fn verified(&self) -> Result<VerifiedDelivery, Box<dyn Error>> {
        let delivery = self.delivery()?;
        let mut verification = self.verifier()?.begin_buffered(&delivery.headers, SystemTime::now())?;
        verification.update(delivery.body)?;
        Ok(verification.finish()?)
    }
}
