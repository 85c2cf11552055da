//! The proof that a delivery was signed.

use std::{fmt, sync::Arc, time::SystemTime};

use sha2::{Digest, Sha256};

use crate::{
    keys::{key::KeyId, ring::Computed},
    schemes::{part::Part, scheme::Scheme},
    verdicts::{profile::Profile, signed_parts::SignedParts},
};

/// The proof that a delivery was signed with an active key. Only a verification makes one.
///
/// It covers the body, the timestamp if the scheme signs one, and the headers that
/// [`signed_header`](Self::signed_header) returns. It covers no other header, and under a
/// [static token](crate::Scheme::unsigned_token) nothing at all.
#[derive(Clone)]
#[must_use = "it tells which sender and key the delivery came from"]
pub struct Verified {
    pub(crate) profile: Arc<Profile>,
    pub(crate) key: KeyId,
    pub(crate) timestamp: Option<SystemTime>,
    pub(crate) parts: Option<Arc<SignedParts>>,
    pub(crate) computed: Computed,
}

impl Verified {
    /// The scheme under which the delivery was verified; its name is the sender's.
    pub fn scheme(&self) -> &Scheme {
        &self.profile.scheme
    }

    /// The value of a signed header, such as a delivery's id, by its name in any case.
    ///
    /// `None` for every header that the scheme does not sign, whatever was sent in it.
    pub fn signed_header(&self, name: &str) -> Option<&str> {
        let names = self.scheme().content.iter().filter_map(|part| match part {
            Part::Header(name) => Some(name),
            _ => None,
        });
        let mut signed = names.zip(self.parts.as_deref()?.headers());
        signed.find(|(signed, _)| signed.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The id of the key that signed the delivery. If several active keys did, the one that was set up first.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// The tenant for whom the delivery was verified; `None` in a service without tenants.
    ///
    /// A delivery is for the tenant whose key signed it. Take the name from here and not from the request, where the caller
    /// chooses it.
    pub fn tenant(&self) -> Option<&str> {
        self.profile.tenancy.tenant()
    }

    /// The timestamp that the sender signed, if the scheme signs one.
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.timestamp
    }

    /// A name for the signed bytes, to see in logs whether two requests carried the same signed message.
    ///
    /// To handle each delivery once, use its [`Identity`](crate::Identity), which outlasts retries and key rotations.
    ///
    /// It depends on the sender's name, the signed bytes and, for an HMAC, the verifier's first key. It does not depend on
    /// which signature or key matched or how the signature was written, so no caller can vary it. A retry that signs
    /// something new, such as a timestamp or an attempt number, has a different fingerprint, and so does every delivery
    /// once the first key changes.
    pub fn fingerprint(&self) -> Fingerprint {
        // The name keeps two senders' deliveries of the same content apart. The hash reveals nothing of what was computed.
        let hash = Sha256::new().chain_update(self.scheme().name()).chain_update([0]);
        Fingerprint(hash.chain_update(self.computed.as_bytes()).finalize().into())
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sender", &self.scheme().name())
            .field("tenant", &self.tenant())
            .field("key", self.key())
            .field("timestamp", &self.timestamp)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// A name for a delivery's signed bytes: 32 bytes that reveal nothing from which a signature could be made.
///
/// `Display` writes 64 hex digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
