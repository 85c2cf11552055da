//! A verification that keeps the body for the handler (feature `bytes`).

use bytes::Bytes;

use crate::{
    buffer::append,
    rejection::Rejection,
    verification::{Verification, Verified},
};

/// A verification that keeps the body, so that a handler gets what was verified.
///
/// A body of one chunk is handed on uncopied. From the second chunk on, all are copied into one buffer as they
/// arrive, so that a body in a million small chunks costs no more than in one. The buffer doubles as the body
/// grows and never exceeds the body limit. [`Verifier::begin_buffered`](crate::Verifier::begin_buffered) makes one.
///
/// ```
/// use std::time::SystemTime;
/// use bytes::Bytes;
/// use countersign::{Secret, Verifier, senders};
///
/// let verifier = Verifier::builder(senders::extend()).secret("2026-q1", Secret::new("secret123")).build()?;
/// let headers = [("ms-signature", "sha256=25FB6994568A75CD233E04BA1C653AF1BF476041CC543AF04F82CAAC482C201A")];
///
/// let mut verification = verifier.begin_buffered(&headers, SystemTime::now())?;
/// verification.update(Bytes::from_static(b"{'test':'test2'}"))?;
/// let (verified, body) = verification.finish()?;
/// # let _ = (verified, body);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a verification proves nothing until it is finished"]
pub struct BufferedVerification {
    verification: Verification,
    body: Body,
}

#[derive(Debug)]
enum Body {
    One(Bytes),
    Many(Vec<u8>),
}

impl BufferedVerification {
    pub(crate) fn new(mut verification: Verification) -> Self {
        verification.keep_nothing();
        Self { verification, body: Body::One(Bytes::new()) }
    }

    /// Takes the next bytes of the body, exactly as they arrived.
    ///
    /// # Errors
    /// Those of [`Verification::update`].
    pub fn update(&mut self, chunk: Bytes) -> Result<(), Rejection> {
        self.verification.update(&chunk)?;
        match &mut self.body {
            _ if chunk.is_empty() => {}
            Body::One(first) if first.is_empty() => *first = chunk,
            Body::One(first) => {
                let mut buffer = Vec::new();
                append(&mut buffer, &[first, &chunk], self.verification.body_limit());
                self.body = Body::Many(buffer);
            }
            Body::Many(buffer) => append(buffer, &[&chunk], self.verification.body_limit()),
        }
        Ok(())
    }

    /// The verdict and the body, after its last byte.
    ///
    /// # Errors
    /// Those of [`Verification::finish`].
    pub fn finish(self) -> Result<(Verified, Bytes), Rejection> {
        let body = match self.body {
            Body::One(only) => only,
            Body::Many(buffer) => Bytes::from(buffer),
        };
        Ok((self.verification.finish_over(&body)?, body))
    }

    /// Ends the verification of a body that broke off: see [`Verification::body_unreadable`].
    pub fn body_unreadable(self) -> Rejection {
        self.verification.body_unreadable()
    }

    /// Ends the verification of a body that did not arrive in time: see [`Verification::body_timeout`].
    pub fn body_timeout(self) -> Rejection {
        self.verification.body_timeout()
    }
}
