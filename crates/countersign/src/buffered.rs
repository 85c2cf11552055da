//! A verification that keeps the body for the handler (feature `bytes`).

use std::cmp;

use bytes::Bytes;

use crate::{
    rejection::Rejection,
    verification::{Verification, Verified},
};

/// The first size of the buffer, in bytes: no peer chooses it.
const FIRST_CAPACITY: usize = 16 * 1024;

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
    pub(crate) fn new(verification: Verification) -> Self {
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
        let verified = self.verification.finish()?;
        let body = match self.body {
            Body::One(only) => only,
            Body::Many(buffer) => Bytes::from(buffer),
        };
        Ok((verified, body))
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

/// Appends to a buffer that doubles up to the limit, which the verification has checked already.
fn append(buffer: &mut Vec<u8>, chunks: &[&[u8]], limit: usize) {
    let length = chunks.iter().fold(buffer.len(), |sum, chunk| sum.saturating_add(chunk.len()));
    if length > buffer.capacity() {
        let doubled = cmp::max(FIRST_CAPACITY, buffer.capacity().saturating_mul(2));
        let capacity = cmp::max(length, cmp::min(doubled, limit));
        buffer.reserve_exact(capacity.saturating_sub(buffer.len()));
    }
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_single_bytes_grows_by_doubling_and_never_past_the_limit() {
        let limit = 100_000;
        let mut buffer = Vec::new();
        let mut capacities = Vec::new();
        for _ in 0..limit {
            append(&mut buffer, &[b"x"], limit);
            capacities.push(buffer.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [16_384, 32_768, 65_536, 100_000]);
    }
}
