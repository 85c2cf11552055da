//! One sender of a verifier: its scheme and keys, frozen, and all that is checked before the body is read.

use std::{ops::RangeInclusive, sync::Arc, time::SystemTime};

use data_encoding::HEXLOWER;
use smallvec::SmallVec;

use crate::{
    algorithm::{KeyRing, MOST_KEYS},
    buffer::Buffer,
    headers::{Headers, Occurrence, occurrence},
    key::{Activity, KeyId, Period},
    rejection::{Fault, Rejection, RejectionKind},
    scheme::{Content, ContentEncoding, Coverage, Scheme, Values},
    signature::{Claimed, Claims},
    timestamp::{Timestamp, TimestampPlace},
    verification::{Covered, Verification},
};

pub(crate) struct Sender {
    pub(crate) scheme: Scheme,
    pub(crate) content: Content,
    pub(crate) keys: Vec<(KeyId, Period)>,
    pub(crate) ring: KeyRing,
    pub(crate) signature_lengths: Vec<RangeInclusive<usize>>,
    pub(crate) body_limit: usize,
}

/// What is known of a delivery whose head is in order.
pub(crate) struct Admitted {
    pub(crate) claimed: SmallVec<[Claimed; 1]>,
    pub(crate) timestamp: Option<SystemTime>,
    pub(crate) values: Option<Arc<Values>>,
    pub(crate) covered: Covered,
    /// What `Content-Length` says, where there is one.
    #[cfg_attr(not(feature = "bytes"), expect(dead_code, reason = "for a budget of buffered bytes"))]
    pub(crate) announced: Option<usize>,
}

impl Sender {
    /// `value` is that of the signature header.
    pub(crate) fn begin(
        self: &Arc<Self>,
        head: &(impl Headers + ?Sized),
        value: &[u8],
        now: SystemTime,
    ) -> Result<Verification, Rejection> {
        match self.admit(head, value, now) {
            Ok(admitted) => Ok(Verification::new(Arc::clone(self), now, admitted)),
            Err(fault) => Err(self.reject(fault)),
        }
    }

    fn admit(
        &self,
        head: &(impl Headers + ?Sized),
        value: &[u8],
        now: SystemTime,
    ) -> Result<Admitted, Fault> {
        let claims = Claims::read(&self.scheme, &self.signature_lengths, value)?;
        let (text, timestamp) = match &self.scheme.timestamp {
            Some(timestamp) => self.read_timestamp(timestamp, head, claims.timestamp, now)?,
            None => ("", None),
        };
        let values = self.content.values(head, text)?.map(Arc::new);
        let covered = self.covered(head)?;
        self.check_content_encoding(head)?;
        if !self.keys.iter().any(|(_, period)| period.activity(now) == Activity::Active) {
            return Err(RejectionKind::NoActiveKey.into());
        }
        let announced = self.announced(head)?;
        // As many as there may be secrets elsewhere.
        if claims.signatures.len().saturating_mul(self.ring.verifications()) > MOST_KEYS {
            return Err(RejectionKind::TooManySignatures.into());
        }
        Ok(Admitted { claimed: claims.signatures, timestamp, values, covered, announced })
    }

    /// The timestamp's text and the instant that it names.
    fn read_timestamp<'h>(
        &self,
        timestamp: &Timestamp,
        head: &'h (impl Headers + ?Sized),
        listed: Option<&'h str>,
        now: SystemTime,
    ) -> Result<(&'h str, Option<SystemTime>), Fault> {
        let text = match &timestamp.place {
            TimestampPlace::Header(name) => match occurrence(head, name) {
                Occurrence::Never => return Err(RejectionKind::TimestampMissing.into()),
                Occurrence::Repeated => return Err(RejectionKind::TimestampRepeated.into()),
                Occurrence::Once(value) => {
                    str::from_utf8(value.trim_ascii()).map_err(|_| RejectionKind::TimestampMalformed)?
                }
            },
            TimestampPlace::Listed(_) | TimestampPlace::Unsigned => {
                listed.ok_or(RejectionKind::TimestampMissing)?
            }
        };
        let instant = timestamp.format.read(text, self.content.timestamp_boundary())?;
        timestamp.tolerance.check(instant, now)?;
        Ok((text, instant))
    }

    fn covered(&self, head: &(impl Headers + ?Sized)) -> Result<Covered, Fault> {
        Ok(match &self.content.coverage {
            Coverage::Bytes | Coverage::Nothing => Covered::Bytes,
            Coverage::SortedForm => Covered::Form(Some(Buffer::default())),
            Coverage::DigestInQuery(parameter) => {
                let query =
                    head.target().and_then(|target| target.split_once('?')).map_or("", |(_, query)| query);
                let mut values =
                    form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == parameter);
                let (Some((_, value)), None) = (values.next(), values.next()) else {
                    return Err(RejectionKind::BodyDigestMalformed.into());
                };
                let claimed = HEXLOWER.decode(value.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
                Covered::by_digest(claimed.ok_or(RejectionKind::BodyDigestMalformed)?)
            }
        })
    }

    fn check_content_encoding(&self, head: &(impl Headers + ?Sized)) -> Result<(), RejectionKind> {
        if self.scheme.content_encoding == ContentEncoding::Wire {
            return Ok(());
        }
        match occurrence(head, "content-encoding") {
            Occurrence::Never => Ok(()),
            Occurrence::Once(value) if value.trim_ascii().eq_ignore_ascii_case(b"identity") => Ok(()),
            Occurrence::Once(_) | Occurrence::Repeated => Err(RejectionKind::ContentEncoded),
        }
    }

    /// What `Content-Length` says: of several, the last.
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
        let value = value.trim_ascii();
        if value.is_empty() {
            return Err(RejectionKind::ContentLengthMalformed);
        }
        let mut length = Some(0_usize);
        for &digit in value {
            let digit = char::from(digit).to_digit(10).ok_or(RejectionKind::ContentLengthMalformed)?;
            length = length.and_then(|length| length.checked_mul(10)?.checked_add(digit as usize));
        }
        // A number that does not fit is over any limit.
        length.filter(|&length| length <= self.body_limit).ok_or(RejectionKind::BodyTooLarge)
    }

    pub(crate) fn reject(self: &Arc<Self>, fault: impl Into<Fault>) -> Rejection {
        Rejection::by_sender(fault.into(), self)
    }

    /// Every header that is looked at.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        let timestamp = match self.scheme.timestamp.as_ref().map(|timestamp| &timestamp.place) {
            Some(TimestampPlace::Header(name)) => Some(&**name),
            Some(TimestampPlace::Listed(_) | TimestampPlace::Unsigned) | None => None,
        };
        [&*self.scheme.header, "content-length", "content-encoding"]
            .into_iter()
            .chain(timestamp)
            .chain(self.content.headers())
    }

    pub(crate) fn depends_on_time(&self) -> bool {
        self.scheme.timestamp.is_some() || self.keys.iter().any(|(_, period)| !period.is_always())
    }

    pub(crate) fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.iter().map(|(id, _)| id)
    }
}
