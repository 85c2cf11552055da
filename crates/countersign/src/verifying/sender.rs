//! One sender of a verifier: its scheme and keys, and every check that needs no byte of the body.

use std::{
    ops::RangeInclusive,
    str,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::{
    keys::{
        key::KeyId,
        ring::{KeyRing, MOST_KEYS},
        usage::seconds,
    },
    schemes::{
        content::{Content, Coverage},
        scheme::{ContentEncoding, Scheme},
    },
    verdicts::{
        kind::RejectionKind,
        profile::Profile,
        rejection::{Detail, Fault, Origin, Rejection},
        signed_parts::SignedParts,
        tenancy::Tenancy,
    },
    verifying::{claims::Claims, covered::Covered, key_state::KeyState, parts},
    wire::{
        encoding::SignatureBytes,
        headers::{Headers, Occurrence, occurrence},
        timestamp::{Intolerable, Malformed, Timestamp, TimestampPlace},
    },
};

pub(crate) struct Sender {
    pub(crate) profile: Arc<Profile>,
    pub(crate) content: Content,
    /// In the order of the profile's ids.
    pub(crate) keys: Vec<KeyState>,
    pub(crate) ring: Arc<dyn KeyRing>,
    pub(crate) signature_lengths: Vec<RangeInclusive<usize>>,
    pub(crate) warn_before_expiry: Duration,
    /// When the keys were last reported, in seconds since 1970, or 0.
    pub(crate) reported: AtomicU64,
}

/// What is known of a delivery whose head passed every check.
pub(crate) struct Admitted {
    pub(crate) claimed: SmallVec<[SignatureBytes; 1]>,
    pub(crate) timestamp: Option<SystemTime>,
    pub(crate) parts: Option<Arc<SignedParts>>,
    pub(crate) covered: Covered,
    /// The value of `Content-Length`, if one was sent.
    #[cfg_attr(not(feature = "bytes"), expect(dead_code, reason = "sizes the buffer and the reservation"))]
    pub(crate) announced: Option<usize>,
}

impl Sender {
    /// Checks the head in the documented order. `value` is the signature header's.
    pub(crate) fn admit(
        &self,
        head: &(impl Headers + ?Sized),
        value: &[u8],
        now: SystemTime,
    ) -> Result<Admitted, Fault> {
        let claims = Claims::read(self.scheme(), &self.signature_lengths, value)?;
        let (text, timestamp) = match &self.scheme().timestamp {
            Some(timestamp) => self.read_timestamp(timestamp, head, claims.timestamp, now)?,
            None => ("", None),
        };
        let parts = parts::read(&self.content, head, text)?.map(Arc::new);
        let covered = self.covered(head)?;
        self.check_content_encoding(head)?;
        if !self.keys.iter().any(|key| key.period.is_active(now)) {
            self.report_now_and_then(now, seconds(now));
            return Err(RejectionKind::NoActiveKey.into());
        }
        let announced = self.announced(head)?;
        // Limit on the expensive pairs of a signature and a public key: as many as there may be secrets.
        if claims.signatures.len().saturating_mul(self.ring.verifications()) > MOST_KEYS {
            return Err(RejectionKind::TooManySignatures.into());
        }
        Ok(Admitted { claimed: claims.signatures, timestamp, parts, covered, announced })
    }

    /// The timestamp's text and the instant that it names.
    fn read_timestamp<'h>(
        &self,
        timestamp: &Timestamp,
        head: &'h (impl Headers + ?Sized),
        listed: Option<&'h str>,
        now: SystemTime,
    ) -> Result<(&'h str, Option<SystemTime>), Fault> {
        let malformed = RejectionKind::TimestampMalformed;
        let text = match &timestamp.place {
            TimestampPlace::Header(name) => match occurrence(head, name) {
                Occurrence::Never => return Err(RejectionKind::TimestampMissing.into()),
                Occurrence::Repeated => return Err(RejectionKind::TimestampRepeated.into()),
                Occurrence::Once(value) => str::from_utf8(value.trim_ascii()).map_err(|_| malformed)?,
            },
            TimestampPlace::Listed(_) | TimestampPlace::Unsigned => {
                listed.ok_or(RejectionKind::TimestampMissing)?
            }
        };
        let boundary = self.content.timestamp_boundary();
        let instant = timestamp.format.read(text, boundary).map_err(|Malformed| malformed)?;
        timestamp.tolerance.check(instant, now).map_err(|error| match error {
            Intolerable::NoInstant => malformed.into(),
            Intolerable::TooOld { apart, most } => {
                Fault::new(RejectionKind::TimestampTooOld, Detail::Apart { apart, most })
            }
            Intolerable::InFuture { apart, most } => {
                Fault::new(RejectionKind::TimestampInFuture, Detail::Apart { apart, most })
            }
        })?;
        Ok((text, instant))
    }

    fn covered(&self, head: &(impl Headers + ?Sized)) -> Result<Covered, RejectionKind> {
        match &self.content.coverage {
            Coverage::Bytes | Coverage::Nothing => Ok(Covered::Bytes),
            Coverage::SortedForm => Ok(Covered::Form(Vec::new())),
            Coverage::DigestInQuery(parameter) => {
                let query =
                    head.target().and_then(|target| target.split_once('?')).map_or("", |(_, query)| query);
                let mut values =
                    form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == parameter);
                let (Some((_, value)), None) = (values.next(), values.next()) else {
                    return Err(RejectionKind::BodyDigestMalformed);
                };
                let mut claimed = [0; 32];
                match base16ct::lower::decode(&*value, &mut claimed) {
                    Ok([_, ..]) if value.len() == 64 => {
                        Ok(Covered::Digest { claimed, running: Box::new(Sha256::new()) })
                    }
                    _ => Err(RejectionKind::BodyDigestMalformed),
                }
            }
        }
    }

    fn check_content_encoding(&self, head: &(impl Headers + ?Sized)) -> Result<(), RejectionKind> {
        if self.scheme().content_encoding == ContentEncoding::Wire {
            return Ok(());
        }
        match occurrence(head, "content-encoding") {
            Occurrence::Never => Ok(()),
            Occurrence::Once(value) if value.trim_ascii().eq_ignore_ascii_case(b"identity") => Ok(()),
            Occurrence::Once(_) | Occurrence::Repeated => Err(RejectionKind::ContentEncoded),
        }
    }

    /// The value of `Content-Length`; of several, the last.
    fn announced(&self, head: &(impl Headers + ?Sized)) -> Result<Option<usize>, RejectionKind> {
        let mut announced = Ok(None);
        head.for_each_value("content-length", &mut |value| {
            if announced.is_ok() {
                announced = self.read_length(value).map(Some);
            }
        });
        announced
    }

    fn read_length(&self, value: &[u8]) -> Result<usize, RejectionKind> {
        let digits = str::from_utf8(value.trim_ascii()).map_err(|_| RejectionKind::ContentLengthMalformed)?;
        // Rust's own parser also accepts a sign.
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RejectionKind::ContentLengthMalformed);
        }
        // A number that does not fit is over any limit.
        digits
            .parse()
            .ok()
            .filter(|&length| length <= self.profile.body_limit)
            .ok_or(RejectionKind::BodyTooLarge)
    }

    /// The same sender, for deliveries to somebody else.
    pub(crate) fn with_tenancy(&self, tenancy: Tenancy) -> Self {
        let profile = Profile { tenancy, ..Profile::clone(&self.profile) };
        self.with(Arc::new(profile), self.keys.clone())
    }

    /// The same sender with another profile and other keys: both are in the ring already.
    pub(crate) fn with(&self, profile: Arc<Profile>, keys: Vec<KeyState>) -> Self {
        Self {
            profile,
            content: self.content.clone(),
            keys,
            ring: Arc::clone(&self.ring),
            signature_lengths: self.signature_lengths.clone(),
            warn_before_expiry: self.warn_before_expiry,
            reported: AtomicU64::new(0),
        }
    }

    pub(crate) fn reject(&self, fault: impl Into<Fault>) -> Rejection {
        Rejection::new(fault, Origin::Sender(Arc::clone(&self.profile)))
    }

    pub(crate) fn scheme(&self) -> &Scheme {
        &self.profile.scheme
    }

    pub(crate) fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.profile.keys.iter()
    }

    /// Every header that a verification may read.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        let timestamp = match self.scheme().timestamp.as_ref().map(|timestamp| &timestamp.place) {
            Some(TimestampPlace::Header(name)) => Some(&**name),
            Some(TimestampPlace::Listed(_) | TimestampPlace::Unsigned) | None => None,
        };
        [self.scheme().header_name(), "content-length", "content-encoding"]
            .into_iter()
            .chain(timestamp)
            .chain(self.content.headers())
    }
}
